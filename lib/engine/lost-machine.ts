import type { JsonObject } from '../core/json.js';
import { factsOf } from './attempt-step.js';
import type { StepContext } from './handler.js';
import { isOver, type StepState } from './run-state.js';
import type { EngineServices } from './services.js';
import type { StepFacts } from './step-context.js';

/** How often a build gets a machine in the place of one that is lost. */
const mostReplacements = 3;

/** A machine that went away by itself, though another one may stay. */
export interface LostMachine {
  readonly machine: StepState;
  /** Why it went, in the words of its platform. */
  readonly reason: string;
  /** The steps that were done on it, or failed on it: they have to be done once more. */
  readonly again: readonly StepState[];
  /** What leads to the machine and ends with this process, such as a tunnel: it goes first. */
  readonly held: readonly StepState[];
}

/**
 * The machine that a step failed on, if that is lost and its build can be taken back to where it had none: while nothing
 * else exists that was made with it, and no other step is at work on it.
 */
export async function lostMachine(failed: StepState, { registry }: Pick<EngineServices, 'registry'>, contextFor: (step: StepFacts) => StepContext): Promise<LostMachine | undefined> {
  for (const machine of neededBy(failed)) {
    if (onlyOf(failed, machine, registry) === undefined) continue;
    const loaded = await registry.handler(machine.step.kind);
    if (machine.handle === undefined || loaded.type !== 'resource' || loaded.handler.lost === undefined) continue;
    // That nobody can say is no reason to hide what the step failed of.
    const reason = await loaded.handler.lost(machine.handle, contextFor(factsOf(machine))).catch(() => undefined);
    // Meanwhile the build may have ended, or another step may have begun.
    const steps = reason === undefined ? undefined : onlyOf(failed, machine, registry);
    if (reason !== undefined && steps !== undefined) return { machine, reason, ...steps };
  }
  return undefined;
}

/** What was done on a machine, if its build can be taken back to where it had none. */
function onlyOf(failed: StepState, machine: StepState, registry: EngineServices['registry']): Pick<LostMachine, 'again' | 'held'> | undefined {
  const { build } = failed;
  if (isOver(build) || build.replacements >= mostReplacements || machine.resource !== 'held' || machine.from !== undefined || machine.build !== build) return undefined;
  const again = allOn(machine);
  const held = again.filter(({ resource, step }) => resource === 'held' && registry.endsWithProcess(step.kind));
  const isOnly = again.every((state) => state.build === build && (state.resource === 'none' || held.includes(state)) && !state.isCached && (state === failed || state.status !== 'running'));
  return isOnly ? { again, held } : undefined;
}

/** Makes the steps wait for the machine that is to come; what is to be released is not to be made before that. */
export function takeBack({ machine, again, held }: LostMachine, outputs: Map<string, JsonObject>): void {
  machine.build.replacements++;
  for (const state of again) Object.assign(state, { status: 'waiting', spec: undefined, milliseconds: 0 });
  for (const state of [...held, machine]) state.status = 'running';
  for (const { step } of [machine, ...again]) outputs.delete(step.id);
}

/** Nearest first. */
function neededBy(state: StepState): ReadonlySet<StepState> {
  const all = new Set(state.needs);
  for (const need of all) for (const further of need.needs) all.add(further);
  return all;
}

function allOn(machine: StepState): readonly StepState[] {
  const all = new Set(machine.dependents);
  for (const dependent of all) for (const further of dependent.dependents) all.add(further);
  return [...all];
}
