import type { IConstruct } from 'constructs';
import { BakeError } from '../core/bake-error.js';
import { closest } from '../core/closest.js';
import { Duration } from '../core/duration.js';
import type { Json, JsonObject } from '../core/json.js';
import { Secret } from '../core/secret.js';
import { Size } from '../core/size.js';
import { Asset } from '../image/asset.js';
import { type BuildVariable, LateText, Ref, type RefTarget } from '../image/ref.js';
import type { RefJson, SecretJson } from '../plan/late.js';
import { runStepId } from '../plan/plan.js';
import { unknownOutput } from './compile-build.js';
import type { DraftBuild, DraftStep } from './draft.js';

/** All builds of the app, for resolving a ref of one to a step of another. */
export interface RenderScope {
  readonly builds: readonly DraftBuild[];
  /** Values of literal secrets in the order in which they were met; they never leave this process. */
  readonly literals: string[];
}

export interface RenderedSpec {
  readonly spec: JsonObject;
  /** Ids of the steps that the spec refers to, and of those that keep alive what it refers to. */
  readonly needs: ReadonlySet<string>;
}

/**
 * Writes a step's spec as JSON: refs, secrets and assets become their `$` forms, sizes bytes, durations milliseconds.
 * @throws BakeError `UnknownOutput`, `UnknownBuildVariable`, `NoSuchArtifact`, `InvalidProp`
 */
export function renderSpec(step: DraftStep, build: DraftBuild, scope: RenderScope): RenderedSpec {
  const needs = new Set<string>();
  const spec = renderValue(step.spec, { step, build, scope, needs, path: [] });
  return { spec: spec as JsonObject, needs };
}

interface Place {
  readonly step: DraftStep;
  readonly build: DraftBuild;
  readonly scope: RenderScope;
  readonly needs: Set<string>;
  readonly path: readonly string[];
}

function renderValue(value: unknown, place: Place): Json | undefined {
  if (value === undefined || value === null || typeof value === 'string' || typeof value === 'boolean') return value as Json | undefined;
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return value;
    throw invalid(place, `is ${value}`);
  }
  if (value instanceof Ref) return renderRef(value.target, place);
  if (value instanceof Secret) return renderSecret(value, place);
  if (value instanceof LateText) return renderText(value, place);
  if (value instanceof Duration || value instanceof Size) return value.toJSON();
  if (value instanceof Asset) {
    return { $asset: { pending: value.path, ...(value.content === undefined ? {} : { content: value.content }), ...(value.type === undefined ? {} : { type: value.type }) } };
  }
  if (Array.isArray(value)) return value.map((item, index) => renderValue(item, { ...place, path: [...place.path, String(index)] }) ?? null);
  if (typeof value === 'object' && isPlain(value)) {
    const members = Object.entries(value).map(([key, member]) => [key, renderValue(member, { ...place, path: [...place.path, key] })] as const);
    return Object.fromEntries(members.filter((member): member is readonly [string, Json] => member[1] !== undefined));
  }
  const what = typeof value === 'function' ? 'a function' : `a ${(value as object).constructor?.name ?? typeof value}`;
  throw invalid(place, `is ${what}, which cannot stand in a plan`);
}

function renderRef(target: RefTarget, place: Place): Json {
  if ('build' in target) return renderBuildVariable(target.build, place);
  const { step, build } = 'step' in target ? stepById(target.step, place) : stepOfConstruct(target.construct, place);
  const [output = ''] = target.output.split('.');
  if (!step.kind.outputs.includes(output)) throw unknownOutput(step.kind.kind, output, step.kind.outputs);
  place.needs.add(step.id);
  const owner = build.artifactOwner.get(step.id);
  if (owner !== undefined) place.needs.add(owner);
  return { $ref: `${step.id}#${target.output}` };
}

function stepById(id: string, { scope }: Place): { step: DraftStep; build: DraftBuild } {
  for (const build of scope.builds) {
    const step = build.steps.find((candidate) => candidate.id === id);
    if (step !== undefined) return { step, build };
  }
  throw new BakeError({ code: 'UnknownStep', message: `there is no step "${id}"`, hint: 'a step that is left out by only or except cannot be referred to' });
}

function stepOfConstruct(construct: IConstruct, place: Place): { step: DraftStep; build: DraftBuild } {
  const path = construct.node.path;
  const source = place.scope.builds.find((build) => build.id === path);
  if (source !== undefined) {
    if (source.artifactStep !== undefined) return stepById(source.artifactStep, place);
    throw new BakeError({ code: 'NoSuchArtifact', message: `${path} makes no artifact`, hint: 'correct the errors of that source first' });
  }
  const owners = place.scope.builds.filter((build) => build.postProcessorSteps.has(path));
  const owner = owners.find((build) => build.id === place.build.id) ?? (owners.length === 1 ? owners[0] : undefined);
  if (owner !== undefined) return stepById(owner.postProcessorSteps.get(path)!, place);
  throw new BakeError({
    code: 'NoSuchArtifact',
    message: owners.length === 0 ? `${path} takes part in no build of this app` : `${path} runs in ${owners.length} builds, so its artifact is not one thing`,
    hint: owners.length === 0 ? 'refer to a source or post-processor of this app that is not left out by only or except' : 'limit it to one source with only, or refer to a source',
  });
}

function renderBuildVariable(name: BuildVariable, place: Place): Json {
  if (name === 'name') return place.build.name;
  if (name === 'platform') return place.build.platform;
  if (name === 'runId') return { $ref: `${runStepId}#id` };
  const value = place.build.variables[name];
  if (value !== undefined) return renderValue(value, place) ?? null;
  const known = ['name', 'platform', 'runId', ...Object.keys(place.build.variables).filter((key) => place.build.variables[key] !== undefined)];
  const near = closest(name, known);
  throw new BakeError({ code: 'UnknownBuildVariable', message: `a ${place.build.platform} build has no build.${name}`, hint: near === undefined ? `it has ${known.join(', ')}` : `did you mean build.${near}? It has ${known.join(', ')}` });
}

function renderSecret(secret: Secret, { scope }: Place): SecretJson & JsonObject {
  const { origin } = secret;
  if (origin.from !== 'literal') return { $secret: origin };
  let index = scope.literals.indexOf(origin.value);
  if (index < 0) index = scope.literals.push(origin.value) - 1;
  return { $secret: { from: 'literal', index } };
}

function renderText(text: LateText, place: Place): Json {
  const parts: (string | RefJson | SecretJson)[] = [];
  for (const part of text.parts) {
    const rendered = typeof part === 'string' ? part : renderValue(part, place);
    const last = parts.at(-1);
    if (typeof rendered === 'string' && typeof last === 'string') parts[parts.length - 1] = last + rendered;
    else parts.push((typeof rendered === 'number' ? String(rendered) : rendered) as string | RefJson | SecretJson);
  }
  if (parts.every((part) => typeof part === 'string')) return parts.join('');
  return { $join: parts as readonly Json[] };
}

function isPlain(value: object): boolean {
  const proto: unknown = Object.getPrototypeOf(value);
  return proto === Object.prototype || proto === null || (proto as object).constructor?.name === 'Object';
}

function invalid(place: Place, what: string): BakeError {
  return new BakeError({ code: 'InvalidProp', message: `"${place.path.join('.')}" ${what}`, hint: 'give a plain value, a Ref, a Secret, a Size or a Duration' });
}
