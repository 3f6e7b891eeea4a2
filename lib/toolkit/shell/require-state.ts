import { BakeError } from '../../core/bake-error.js';
import type { BuildForecast } from '../../engine/cache/forecast.js';
import type { PlanStep } from '../../plan/plan.js';
import type { SessionPlans } from './session-plans.js';
import type { ShellTarget } from './shell-target.js';

/**
 * The target if its state can be had without doing anything of it anew; if any state will do, the deepest one that can.
 * @throws BakeError `NoCheckpoint` with what there is, and what a run would do
 */
export function requireState(target: ShellTarget, { untouched }: SessionPlans, forecasts: readonly BuildForecast[]): ShellTarget {
  const { plan, build, after, isAny } = target;
  const missingOf = ({ steps }: BuildForecast) => steps.filter(({ step: id, will }) => will === 'run' && untouched.has(id));
  const stale = forecasts.find((one) => one.build !== build.id && missingOf(one).length > 0);
  if (stale !== undefined) throw new BakeError({ code: 'NoCheckpoint', message: `${build.id} is made of ${stale.build}, which is not up to date`, hint: `run "bake run ${build.id}", which builds both` });
  const own = forecasts.find((one) => one.build === build.id);
  const missing = own === undefined ? [] : missingOf(own);
  if (missing.length === 0) return target;
  const provisioners = plan.steps.filter((step) => step.build === build.id && step.role === 'provisioner');
  const deepest = provisioners.findLast(({ id }) => own?.steps.some((fate) => fate.step === id && fate.will === 'cached'));
  const hasMachine = missing.every(({ step: id }) => provisioners.some((step) => step.id === id));
  if (isAny && hasMachine) return { ...target, after: deepest === undefined ? [] : [deepest] };
  const nearest = deepest !== undefined ? `"bake shell ${nameOf(deepest)}" enters the nearest earlier one` : hasMachine ? `"bake shell ${build.id}" enters the machine as it is before its provisioners` : 'there is no earlier one either';
  throw new BakeError({
    code: 'NoCheckpoint', message: `there is no checkpoint ${isAny ? `of ${build.id}` : `after ${after.map(nameOf).join()}`} as image.ts has it now`,
    hint: `${nearest}; "bake run ${build.id} --checkpoints all" would carry out ${missing.map(({ name }) => name).join(', ')} and save the machine after each step (with --force, if the image is up to date)`,
  });
}

function nameOf({ id, build }: PlanStep): string {
  return `${build}/${id.slice(build.length + 1)}`;
}
