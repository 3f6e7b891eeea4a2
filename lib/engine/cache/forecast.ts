import type { JsonObject } from '../../core/json.js';
import { unlessAborted } from '../../core/unless-aborted.js';
import type { Plan } from '../../plan/plan.js';
import { type ValueChange, diffValues } from '../../plan/diff.js';
import { type BuildState, makeRunState, type StepState } from '../run-state.js';
import type { EngineServices } from '../services.js';
import { BuildCache, type RunCache } from './build-cache.js';
import type { Decision } from './decide.js';
import type { LastStep } from './last-builds.js';

export interface StepForecast {
  readonly step: string;
  /** Its name in its build: `Nginx`, `Machine`. */
  readonly name: string;
  readonly title: string;
  /** `cached`: what an earlier run did is used; `restored`: brought back as an earlier run left it; `run`: carried out. Steps that nobody needs are not told of. */
  readonly will: 'cached' | 'restored' | 'run';
  /** Why it is carried out. */
  readonly why?: Reason;
  /** What it took last time, if it was carried out in this project; milliseconds. */
  readonly milliseconds?: number;
}

export type Reason =
  /** It was never carried out here. */
  | { readonly type: 'new' }
  | { readonly type: 'changed'; readonly changes: readonly ValueChange[] }
  /** Something it stands on is carried out anew: the first such step. */
  | { readonly type: 'follows'; readonly step: string; readonly name: string }
  /** It is carried out each time, and why. */
  | { readonly type: 'always'; readonly reason: string }
  /** The user asks for it with `--no-cache` or `--force`. */
  | { readonly type: 'asked' }
  /** Nothing has changed, and what it made, or the checkpoint it is in, is not there any more or too old. */
  | { readonly type: 'gone' };

export interface BuildForecast {
  readonly build: string;
  readonly platform: string;
  readonly upToDate: boolean;
  readonly steps: readonly StepForecast[];
  /** The sum of what is known of the times of the steps that will be carried out; milliseconds. */
  readonly milliseconds: number;
}

export interface ForecastRequest {
  readonly plans: readonly Plan[];
  /** Build ids, with those that they need. */
  readonly builds: ReadonlySet<string>;
  readonly cache: RunCache;
  readonly signal: AbortSignal;
  /** Told of a build of which nothing can be said now, as its platform is not there; it is left out, with those that need it. @default - that is an error */
  readonly onUnknown?: (build: string, error: unknown) => void;
}

/** What a run would do, and why. Looks nothing up outside of this computer: what lookups said last is taken to be still so. Changes nothing. */
export async function forecast({ plans, builds, cache, signal, onUnknown }: ForecastRequest, services: EngineServices): Promise<readonly BuildForecast[]> {
  const state = makeRunState(plans, builds);
  const outputs = new Map<string, JsonObject>();
  const buildCache = new BuildCache(cache, { services, outputs, signal, notify: () => {} });
  const made: BuildForecast[] = [];
  const errors = new Map<BuildState, unknown>();
  const waiting = new Set(state.builds);
  while (waiting.size > 0) {
    // An image that another one starts from comes first.
    const next = [...waiting].find((build) => build.steps.every((step) => step.needs.every((need) => need.build === build || !waiting.has(need.build)))) ?? [...waiting][0]!;
    waiting.delete(next);
    try {
      const unknown = next.steps.flatMap(({ needs }) => needs.map((need) => errors.get(need.build))).find((error) => error !== undefined);
      if (unknown !== undefined) throw unknown;
      made.push(await unlessAborted(forecastBuild(next, outputs, buildCache, cache, services), signal));
    } catch (error) {
      if (onUnknown === undefined) throw error;
      errors.set(next, error);
      onUnknown(next.plan.id, error);
    }
  }
  return state.builds.flatMap((build) => made.find((one) => one.build === build.plan.id) ?? []);
}

async function forecastBuild(build: BuildState, outputs: Map<string, JsonObject>, buildCache: BuildCache, cache: RunCache, services: EngineServices): Promise<BuildForecast> {
  const last = (await cache.lastBuilds.read(build.plan.id))?.steps ?? {};
  const moved = new Map<StepState, readonly ValueChange[]>();
  for (const state of build.steps) {
    const { said, pins = {} } = last[state.step.id] ?? {};
    if (services.registry.kind(state.step.kind).lookup === undefined || said === undefined) continue;
    const changes = diffValues(pins as JsonObject, await pinnedNow(Object.keys(pins), services));
    if (changes.length > 0) {
      moved.set(state, changes);
      continue;
    }
    outputs.set(state.step.id, said as JsonObject);
    state.status = 'done';
  }
  const { decision, prints } = await buildCache.look(build);
  for (const [state, output] of decision.done) outputs.set(state.step.id, output);
  const steps: StepForecast[] = [];
  for (const state of build.steps) {
    const will = fateOf(state, decision);
    if (will === undefined) continue;
    const { id, title } = state.step;
    const { milliseconds } = last[id] ?? {};
    const changes = moved.get(state);
    const why = changes !== undefined ? { type: 'changed' as const, changes } : will === 'run' ? reasonFor(state, prints.get(state), last, decision, services) : undefined;
    steps.push({ step: id, name: shortName(state), title, will, ...(why === undefined ? {} : { why }), ...(milliseconds === undefined ? {} : { milliseconds }) });
  }
  const runs = steps.filter(({ will }) => will !== 'cached');
  return { build: build.plan.id, platform: build.plan.platform, upToDate: runs.length === 0, steps, milliseconds: runs.reduce((sum, step) => sum + (step.will === 'run' ? step.milliseconds ?? 0 : 0), 0) };
}

async function pinnedNow(names: readonly string[], { pins }: EngineServices): Promise<JsonObject> {
  const table = await pins.table();
  return Object.fromEntries(names.flatMap((name) => { const pin = table.get(name); return pin === undefined ? [] : [[name, pin]]; }));
}

function fateOf(state: StepState, { done, idle, restore }: Decision): StepForecast['will'] | undefined {
  if (state.status === 'done' || state.step.role === 'error-cleanup' || idle.has(state)) return undefined;
  if (done.has(state)) return state.step.role === 'source' && state.step.lifetime !== 'artifact' ? undefined : 'cached';
  return restore.has(state) ? 'restored' : 'run';
}

function reasonFor(state: StepState, print: { readonly hex: string; readonly inputs: JsonObject; readonly unknown?: string; readonly fresh: boolean } | undefined, last: Readonly<Record<string, LastStep>>, decision: Decision, services: EngineServices): Reason | undefined {
  const { step, build } = state;
  if (print === undefined || services.registry.kind(step.kind).atCheckpoint === 'again') return undefined;
  const before = last[step.id];
  if (before === undefined) return { type: 'new' };
  const first = state.needs.find((need) => need.build !== build ? !isKept(need) : need.step.role !== 'source' && !decision.done.has(need) && need.status !== 'done');
  if (print.unknown !== undefined) return first === undefined || step.policy?.cache === false ? { type: 'always', reason: print.unknown } : { type: 'follows', step: first.step.id, name: shortName(first) };
  if (before.hex !== print.hex) {
    const changes = changesBetween(before.inputs as JsonObject, print.inputs);
    if (changes.length > 0) return { type: 'changed', changes };
    const cause = first ?? state.needs.find((need) => last[need.step.id] === undefined || need.status !== 'done');
    return cause === undefined ? { type: 'changed', changes } : { type: 'follows', step: cause.step.id, name: shortName(cause) };
  }
  if (first !== undefined) return { type: 'follows', step: first.step.id, name: shortName(first) };
  return { type: print.fresh || services.run.force ? 'asked' : 'gone' };
}

function isKept({ status }: StepState): boolean {
  return status === 'done';
}

/** What is its own; a change of what it stands on shows as other fingerprints in it. */
function changesBetween(before: JsonObject, now: JsonObject): readonly ValueChange[] {
  const own = ({ after: _, run: __, ...inputs }: JsonObject): JsonObject => inputs;
  return diffValues(own(before), own(now)).filter(({ path }) => !/(^|\.)of$/.test(path));
}

function shortName({ step }: StepState): string {
  return step.id.slice(step.build.length + 1);
}
