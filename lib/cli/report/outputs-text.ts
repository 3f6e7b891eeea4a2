import { isAbsolute } from 'node:path';
import { BakeError } from '../../core/bake-error.js';
import { shellQuote } from '../../core/quote.js';
import type { BuildOutputs } from '../../toolkit/toolkit-api.js';
import { safeJson } from '../terminal/neutralise.js';

export type OutputFormat = 'json' | 'env' | 'tfvars';

type OutputArtifact = BuildOutputs['artifacts'][number];

/**
 * What builds have made, for programs. `env`: lines for a POSIX shell, `BAKE_WEB_DOCKER_ID=…`. `tfvars`: `web_docker_id = "…"`.
 * What has an id in each region is a map in HCL, `web_ec2_regions = { "eu-west-1" = "ami-…" }`, and in a shell `BAKE_WEB_EC2_REGIONS_EU_WEST_1=ami-…`.
 * Names are those of the build, and for what a post-processor made, of its step: `BAKE_WEB_DOCKER_SAVE_PATH`.
 * @throws BakeError `AmbiguousName` if two builds would get the same name
 */
export function formatOutputs(builds: readonly BuildOutputs[], format: OutputFormat): string {
  if (format === 'json') return `${safeJson(Object.fromEntries(builds.map(({ build, run, at, artifacts }) => [build, { run, at: new Date(at).toISOString(), ...facts(artifacts[0]), artifacts }])), 2)}\n`;
  const owners = new Map<string, string>();
  const lines = builds.flatMap(({ build, artifacts }) => artifacts.filter(({ type }) => type !== 'none').flatMap((artifact) => Object.entries(facts(artifact)).flatMap(([fact, value]) => {
    const words = [build, ...(artifact.isMain ? [] : [artifact.name]), fact];
    const name = words.join('_').replace(/[^A-Za-z0-9]+/g, '_');
    const owner = words.slice(0, -1).join(':');
    const other = owners.get(name.toLowerCase());
    if (other !== undefined) throw new BakeError({ code: 'AmbiguousName', message: `"${other}" and "${owner}" would both be "${name.toLowerCase()}"`, hint: 'name the builds whose outputs you want, or use --format json' });
    owners.set(name.toLowerCase(), owner);
    return format === 'env' ? envLines(name, value) : `${name.toLowerCase().replace(/^(?=\d)/, '_')} = ${typeof value === 'string' ? hclQuote(value) : hclMap(value)}\n`;
  })));
  return lines.join('');
}

type Fact = string | Readonly<Record<string, string>>;

function facts(artifact: OutputArtifact | undefined): Readonly<Record<string, Fact>> {
  if (artifact === undefined) return {};
  const { id, type, digest, files, imageId, regions } = artifact;
  const path = files[0]?.path ?? (isAbsolute(id) ? id : undefined);
  return { id, type, ...(digest === undefined ? {} : { digest }), ...(path === undefined ? {} : { path }), ...(imageId === undefined ? {} : { image_id: imageId }), ...(regions === undefined ? {} : { regions }) };
}

function envLines(name: string, value: Fact): readonly string[] {
  if (typeof value === 'string') return [`BAKE_${name.toUpperCase()}=${shellQuote(value)}\n`];
  return Object.entries(value).map(([key, one]) => `BAKE_${name}_${key.replace(/[^A-Za-z0-9]+/g, '_')}`.toUpperCase() + `=${shellQuote(one)}\n`);
}

function hclMap(map: Readonly<Record<string, string>>): string {
  return `{\n${Object.entries(map).map(([key, value]) => `  ${hclQuote(key)} = ${hclQuote(value)}\n`).join('')}}`;
}

/** A text as a string of HCL, in which nothing is a template: https://developer.hashicorp.com/terraform/language/expressions/strings */
function hclQuote(text: string): string {
  const escaped = text.replace(/[\\"]/g, '\\$&').replace(/[$%](?=\{)/g, '$&$&').replace(/\p{Cc}/gu, (char) => ({ '\n': '\\n', '\r': '\\r', '\t': '\\t' })[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `"${escaped}"`;
}
