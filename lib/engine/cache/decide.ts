import type { JsonObject } from '../../core/json.js';
import type { SavedPlace, StepContext } from '../handler.js';
import type { BuildState, StepState } from '../run-state.js';
import type { EngineServices } from '../services.js';
import type { Checkpoint, CheckpointStore } from './checkpoint-store.js';
import { type Fingerprint, outcomeKey } from './fingerprints.js';
import type { OutcomeStore } from './outcome-store.js';
import { discardCheckpoint, savedKinds } from './save-checkpoint.js';
import { nameIn, placeOf } from './saved-place.js';

/** What a build need not do again. */
export interface Decision {
  /** Steps that are done already, with what they gave. */
  readonly done: ReadonlyMap<StepState, JsonObject>;
  /** Steps that nobody needs. */
  readonly idle: ReadonlySet<StepState>;
  /** Resources that are brought back instead of made. */
  readonly restore: ReadonlyMap<StepState, SavedPlace>;
  /** What the machine is brought back from. */
  readonly checkpoint: Checkpoint | undefined;
  /** When what is used again was carried out, by fingerprint. */
  readonly ranAt: ReadonlyMap<string, number>;
}

export interface DecisionHost {
  readonly services: EngineServices;
  readonly checkpoints: CheckpointStore;
  readonly outcomes: OutcomeStore;
  readonly signal: AbortSignal;
  readonly contextOf: (state: StepState) => StepContext;
  /** Only looks: throws nothing away and marks nothing as used. @default false */
  readonly onlyLooks?: boolean;
}

type Prints = ReadonlyMap<StepState, Fingerprint>;

/**
 * Works backwards from what the build is for: a step whose outcome still stands needs nothing; what is needed of a machine
 * goes on from its deepest checkpoint.
 */
export async function decide(build: BuildState, prints: Prints, closure: readonly StepState[] | undefined, host: DecisionHost): Promise<Decision> {
  const steps = [...prints.keys()];
  const done = new Map<StepState, JsonObject>();
  const needed = new Set<StepState>();
  const ranAt = new Map<string, number>();
  const visit = async (state: StepState): Promise<void> => {
    if (needed.has(state) || done.has(state) || state.status !== 'waiting') return;
    const outputs = await outcomeOf(state, prints, ranAt, host);
    if (outputs !== undefined) {
      done.set(state, outputs);
      return;
    }
    needed.add(state);
    for (const need of state.needs) if (need.build === build) await visit(need);
  };
  for (const goal of steps.filter((state) => isGoal(state, host))) await visit(goal);
  // What is made anew may differ in its bytes: what was made of the old one does not go with it.
  for (const state of steps) {
    if (!done.has(state) || !state.needs.some((need) => needed.has(need) && isRecordable(need, host))) continue;
    done.delete(state);
    needed.add(state);
    for (const need of state.needs) if (need.build === build) await visit(need);
  }
  const machine = steps.find(({ step }) => step.id === build.plan.machine);
  const restore = new Map<StepState, SavedPlace>();
  let checkpoint: Checkpoint | undefined;
  if (closure !== undefined && machine !== undefined && needed.has(machine)) {
    const chain = [machine, ...steps.filter(({ step }) => step.role === 'provisioner')];
    const deepest = await deepestCheckpoint(chain, prints, closure, host);
    if (deepest !== undefined) {
      checkpoint = deepest.checkpoint;
      for (const state of chain.slice(1, deepest.end + 1)) done.set(state, {});
      for (const state of closure) {
        const { lookup, atCheckpoint } = host.services.registry.kind(state.step.kind);
        if (lookup !== undefined || atCheckpoint === 'again') continue;
        if (atCheckpoint === 'inside') done.set(state, checkpoint.states[nameIn(state)]?.output ?? {});
        else restore.set(state, await placeOf(checkpoint, state, host.checkpoints));
      }
      for (const [hex, at] of Object.entries(checkpoint.ranAt)) ranAt.set(hex, at);
      if (host.onlyLooks !== true) await host.checkpoints.touch(checkpoint);
    }
  }
  for (const state of done.keys()) needed.delete(state);
  const idle = new Set(steps.filter((state) => state.status === 'waiting' && !needed.has(state) && !done.has(state)));
  return { done, idle, restore, checkpoint, ranAt };
}

/** What the step gave in an earlier run, if that is still so. */
async function outcomeOf(state: StepState, prints: Prints, ranAt: Map<string, number>, host: DecisionHost): Promise<JsonObject | undefined> {
  const print = prints.get(state);
  const { services, outcomes, contextOf } = host;
  if (print === undefined || print.unknown !== undefined || print.fresh || services.run.force || !isRecordable(state, host)) return undefined;
  const outcome = await outcomes.read(outcomeKey(print, state));
  if (outcome === undefined || outcome.kind !== state.step.kind || isOver(state, outcome.at, host) || hasOver(prints, outcome.ranAt, host)) return undefined;
  const loaded = await services.registry.handler(state.step.kind);
  if (loaded.type === 'resource' && await loaded.handler.holds?.(outcome.outputs, { ...contextOf(state), token: outcome.token }) !== true) return undefined;
  for (const [hex, at] of Object.entries(outcome.ranAt)) ranAt.set(hex, at);
  return outcome.outputs;
}

async function deepestCheckpoint(chain: readonly StepState[], prints: Prints, closure: readonly StepState[], host: DecisionHost): Promise<{ readonly checkpoint: Checkpoint; readonly end: number } | undefined> {
  const { checkpoints } = host;
  for (let end = chain.length - 1; end >= 0; end--) {
    const print = prints.get(chain[end]!);
    if (print === undefined || print.unknown !== undefined || print.fresh) continue;
    const found = await checkpoints.peek(print.hex);
    if (found === undefined || hasOver(prints, found.ranAt, host)) continue;
    const opened = host.onlyLooks === true ? await checkpoints.open(print.hex) : await checkpoints.use(print.hex, host.signal);
    if (opened !== undefined && await isWhole(found, closure, host)) return { checkpoint: found, end };
    if (host.onlyLooks === true) continue;
    await discardCheckpoint(found.key, savedKinds(found), host);
  }
  return undefined;
}

/** Whether it has all of the machine's steps, each as it was saved. */
async function isWhole(found: Checkpoint, closure: readonly StepState[], host: DecisionHost): Promise<boolean> {
  const { registry } = host.services;
  for (const state of closure) {
    const { lookup, atCheckpoint } = registry.kind(state.step.kind);
    if (lookup !== undefined || atCheckpoint === 'again') continue;
    const kept = found.states[nameIn(state)];
    if (kept === undefined || kept.kind !== state.step.kind) return false;
    if (atCheckpoint === 'inside') continue;
    const loaded = await registry.handler(kept.kind);
    if (loaded.type !== 'resource' || loaded.handler.checkpoint === undefined || kept.saved === undefined) return false;
    if (await loaded.handler.checkpoint.isWhole?.(await placeOf(found, state, host.checkpoints), host.contextOf(state)) === false) return false;
  }
  return true;
}

/** What a build is carried out for: what stays, what is done with it, and what other builds or nobody needs. */
function isGoal(state: StepState, host: DecisionHost): boolean {
  const { step, dependents, build } = state;
  if (dependents.every((dependent) => dependent.step.role === 'error-cleanup') || dependents.some((dependent) => dependent.build !== build)) return true;
  return step.lifetime !== 'run' && isRecordable(state, host);
}

/** Whether what it gave in one run can be all there is to it in another. */
export function isRecordable({ step }: StepState, { services }: Pick<DecisionHost, 'services'>): boolean {
  return services.registry.kind(step.kind).outputs.includes('artifact');
}

/** Whether the time is over for which the step may be used again. */
function isOver({ step }: StepState, at: number, { services }: DecisionHost): boolean {
  const { cacheFor } = step.policy ?? {};
  return cacheFor !== undefined && services.clock.now() - at > cacheFor;
}

/** Whether it is over for one of those steps that were carried out then. */
function hasOver(prints: Prints, ranAt: Readonly<Record<string, number>>, host: DecisionHost): boolean {
  return [...prints].some(([state, { hex }]) => ranAt[hex] !== undefined && isOver(state, ranAt[hex], host));
}
