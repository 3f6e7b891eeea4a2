import type { BakeError } from '../core/bake-error.js';
import type { JsonObject } from '../core/json.js';
import type { SavedPlace } from './handler.js';
import { dependentsOf } from '../plan/graph.js';
import type { Plan, PlanBuild, PlanStep } from '../plan/plan.js';

/** A step while it is carried out. */
export interface StepState {
  readonly step: PlanStep;
  readonly build: BuildState;
  readonly dependents: StepState[];
  readonly needs: StepState[];
  status: 'waiting' | 'running' | 'done' | 'failed' | 'skipped';
  /** `kept` and `stuck` resources stay behind when the run ends: by wish, or because they could not be removed. */
  resource: 'none' | 'held' | 'releasing' | 'released' | 'kept' | 'stuck';
  handle: JsonObject | undefined;
  /** The spec that the handler was called with. */
  spec: unknown;
  /** What it is brought back from instead of being made anew. */
  from: SavedPlace | undefined;
  /** What it does was done in an earlier run. */
  isCached: boolean;
  /** What it took. */
  milliseconds: number;
}

export interface BuildState {
  readonly plan: PlanBuild;
  readonly steps: StepState[];
  readonly abort: AbortController;
  status: 'waiting' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'skipped';
  /** Whether it was looked up what earlier runs have left of it; until then only its lookups are carried out. `elsewhere`: another build is at work on what it needs, and it waits for that. */
  cache: 'unasked' | 'asked' | 'elsewhere' | 'known';
  /** The end of the build has been noticed, and is being or was written down. */
  ended: boolean;
  /** What the build holds may be removed, because all that wanted to look at it is done. */
  mayRelease: boolean;
  /** Machines that took the place of one that was lost. */
  replacements: number;
  startedAt: number | undefined;
  endedAt: number | undefined;
  error: BakeError | undefined;
}

export const isSettled = ({ status }: StepState): boolean => status === 'done' || status === 'failed' || status === 'skipped';
export const isOver = ({ status }: BuildState): boolean => status !== 'waiting' && status !== 'running';

/** The graph of all selected builds, with whatever they need of each other. */
export function makeRunState(plans: readonly Plan[], builds: ReadonlySet<string>): { readonly builds: readonly BuildState[]; readonly steps: ReadonlyMap<string, StepState> } {
  const buildStates = new Map<string, BuildState>();
  for (const plan of plans.flatMap((one) => one.builds)) {
    if (builds.has(plan.id)) buildStates.set(plan.id, { plan, steps: [], abort: new AbortController(), status: 'waiting', cache: 'unasked', ended: false, mayRelease: false, replacements: 0, startedAt: undefined, endedAt: undefined, error: undefined });
  }
  const planSteps = plans.flatMap((plan) => plan.steps).filter((step) => buildStates.has(step.build));
  const steps = new Map<string, StepState>();
  for (const step of planSteps) {
    const build = buildStates.get(step.build)!;
    const state: StepState = { step, build, dependents: [], needs: [], status: 'waiting', resource: 'none', handle: undefined, spec: undefined, from: undefined, isCached: false, milliseconds: 0 };
    build.steps.push(state);
    steps.set(step.id, state);
  }
  for (const [need, dependents] of dependentsOf(planSteps)) {
    for (const dependent of dependents) {
      const [from, to] = [steps.get(need), steps.get(dependent)];
      if (from === undefined || to === undefined) continue;
      from.dependents.push(to);
      to.needs.push(from);
    }
  }
  return { builds: [...buildStates.values()], steps };
}

/** The builds asked for, and those whose artifacts they need. */
export function withNeededBuilds(plans: readonly Plan[], wanted: ReadonlySet<string>): ReadonlySet<string> {
  const steps = plans.flatMap((plan) => plan.steps);
  const buildOf = new Map(steps.map((step) => [step.id, step.build]));
  const all = new Set(wanted);
  for (let grown = true; grown; ) {
    grown = false;
    for (const step of steps) {
      if (!all.has(step.build)) continue;
      for (const need of step.needs) {
        const build = buildOf.get(need);
        if (build !== undefined && !all.has(build)) {
          all.add(build);
          grown = true;
        }
      }
    }
  }
  return all;
}
