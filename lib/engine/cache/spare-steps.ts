import type { EventBody } from '../../core/events.js';
import type { JsonObject } from '../../core/json.js';
import type { BuildState, StepState } from '../run-state.js';
import type { Decision } from './decide.js';

/** Takes out of a build what need not be done again. */
export function spareSteps(build: BuildState, { done, idle, restore }: Decision, outputs: Map<string, JsonObject>, notify: (body: EventBody) => void): void {
  for (const [state, given] of done) {
    outputs.set(state.step.id, given);
    Object.assign(state, { status: 'done', isCached: true });
    const { id, title, role, lifetime } = state.step;
    if (role !== 'source' || lifetime === 'artifact') notify({ type: 'step.cached', step: id, build: build.plan.id, title });
  }
  for (const state of build.steps) if (state.needs.some((need) => done.has(need) && need.step.role === 'provisioner')) waitForMachine(state, build);
  for (const state of idle) Object.assign(state, { status: 'skipped', isCached: true });
  for (const [state, from] of restore) state.from = from;
}

/** What comes after steps that need not be done again must wait for the machine that has their effect in it. */
function waitForMachine(state: StepState, build: BuildState): void {
  const machine = build.steps.find(({ step }) => step.id === build.plan.machine);
  if (machine === undefined || state.needs.includes(machine)) return;
  state.needs.push(machine);
  machine.dependents.push(state);
}
