import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BakeError } from '../core/bake-error.js';
import type { Diagnostic } from '../core/diagnostic.js';
import { canonicalJson, type Json, type JsonObject, sha256 } from '../core/json.js';
import { isAsset, isPendingAsset, type AssetJson } from '../plan/late.js';
import { planSchemaVersion, type Plan, type PlanStep } from '../plan/plan.js';
import type { Synthesized } from '../synth/synthesize.js';
import { assetFolder, stageAsset } from './stage-asset.js';

/** `bake.out/manifest.json`: what is in the folder. */
export interface AssemblyManifest {
  readonly schema: number;
  readonly images: readonly { readonly image: string; readonly plan: string; readonly digest: string }[];
}

export interface Assembled {
  readonly plans: readonly Plan[];
  /** Files that are missing or wrong, with the constructs that named them. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Hashes and stages the files that the plans name. Writes nothing but assets: `writeAssembly` does the rest once all is well. */
export async function stageAssets(plans: readonly Plan[], project: string, outDir: string): Promise<Assembled> {
  const folder = await assetFolder(outDir);
  const staged = new Map<string, Promise<AssetJson>>();
  const diagnostics: Diagnostic[] = [];

  const finish = async (value: Json): Promise<Json> => {
    if (isPendingAsset(value)) {
      const key = canonicalJson(value);
      if (!staged.has(key)) staged.set(key, stageAsset(value.$asset, { project, folder }));
      return (await staged.get(key)!) as unknown as Json;
    }
    if (isAsset(value) || typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return Promise.all((value as readonly Json[]).map(finish));
    const entries = await Promise.all(Object.entries(value).map(async ([key, member]) => [key, await finish(member as Json)] as const));
    return Object.fromEntries(entries);
  };
  const finishStep = async (step: PlanStep): Promise<PlanStep> => {
    try {
      return { ...step, spec: (await finish(step.spec)) as JsonObject };
    } catch (error) {
      if (!BakeError.is(error)) throw error;
      const finding: Diagnostic = { code: error.code, severity: 'error', message: error.message, construct: step.id, ...(step.source === undefined ? {} : { location: step.source }), ...(error.hint === undefined ? {} : { hint: error.hint }) };
      // The same line compiled for several builds is one mistake.
      if (!diagnostics.some((other) => other.message === finding.message && canonicalJson(other.location ?? null) === canonicalJson(finding.location ?? null))) diagnostics.push(finding);
      return step;
    }
  };
  const finished = await Promise.all(plans.map(async (plan): Promise<Plan> => ({ ...plan, steps: await Promise.all(plan.steps.map(finishStep)) })));
  return { plans: finished, diagnostics };
}

/** Writes `manifest.json`, `tree.json` and one plan per image; the same plans give the same bytes. */
export async function writeAssembly(plans: readonly Plan[], tree: Synthesized['tree'], outDir: string): Promise<void> {
  await mkdir(outDir, { recursive: true });
  const images = plans.map((plan) => {
    const text = `${canonicalJson(plan, 2)}\n`;
    return { image: plan.image, plan: planFileName(plan.image), digest: sha256(text), text };
  });
  const manifest: AssemblyManifest = { schema: planSchemaVersion, images: images.map(({ image, plan, digest }) => ({ image, plan, digest })) };
  const stale = (await readdir(outDir)).filter((name) => name.endsWith('.plan.json') && !images.some(({ plan }) => plan === name));
  await Promise.all([
    ...images.map(({ plan, text }) => writeWhole(join(outDir, plan), text)),
    ...stale.map((name) => rm(join(outDir, name), { force: true })),
    writeWhole(join(outDir, 'tree.json'), `${canonicalJson(tree, 2)}\n`),
  ]);
  await writeWhole(join(outDir, 'manifest.json'), `${canonicalJson(manifest, 2)}\n`);
}

/** An image's path is data: whatever is in it, the name stays inside the folder. */
function planFileName(image: string): string {
  const safe = image.replace(/[^\w.-]+/g, '-').replace(/^\.+/, '');
  return `${safe === image && safe !== '' ? safe : `${safe}-${sha256(image).slice(0, 8)}`}.plan.json`;
}

async function writeWhole(path: string, text: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => undefined)) === text) return;
  const part = `${path}.${process.pid}.part`;
  await writeFile(part, text);
  await rename(part, path);
}
