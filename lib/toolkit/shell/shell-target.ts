import { BakeError } from '../../core/bake-error.js';
import { closest } from '../../core/closest.js';
import type { Plan, PlanBuild, PlanStep } from '../../plan/plan.js';

/** A state of a machine, as somebody names it. */
export interface ShellTarget {
  readonly plan: Plan;
  readonly build: PlanBuild;
  /** The provisioners after which the state is meant. */
  readonly after: readonly PlanStep[];
  /** Whether an earlier state of the build will do. */
  readonly isAny: boolean;
}

/**
 * Finds what `Web/Docker/Nginx`, `Web/Docker:Nginx`, `Web/Nginx` (if only one build has it), `Web/Docker` or `Web` (if it has
 * only one build) mean.
 * @throws BakeError `NoSuchStep`, `SeveralBuilds`
 */
export function shellTarget(plans: readonly Plan[], name: string): ShellTarget {
  const targets = plans.flatMap((plan) => plan.builds.filter(({ machine }) => machine !== undefined).flatMap((build) => targetsOf(plan, build)));
  const exact = targets.filter(({ names }) => names[0] === name);
  const found = exact.length > 0 ? exact : targets.filter(({ names }) => names.includes(name));
  const [first] = found;
  if (first === undefined) {
    const near = closest(name, targets.flatMap(({ names }) => names));
    const known = targets.map(({ names }) => names[0]!);
    throw new BakeError({ code: 'NoSuchStep', message: `there is no machine, no provisioner and no run "${name}"`, hint: near === undefined ? `there are ${known.slice(0, 8).join(', ')}${known.length > 8 ? ', …' : ''}` : `did you mean "${near}"?` });
  }
  if (found.length > 1) throw new BakeError({ code: 'SeveralBuilds', message: `several builds have "${name}"`, hint: `name one: ${found.map(({ names }) => names[0]).join(', ')}` });
  return first;
}

/** Each with its names, the one that is always its own first. */
function targetsOf(plan: Plan, build: PlanBuild): readonly (ShellTarget & { readonly names: readonly string[] })[] {
  const provisioners = plan.steps.filter((step) => step.build === build.id && step.role === 'provisioner');
  const own = ({ id }: PlanStep) => id.slice(build.id.length + 1);
  return [
    { plan, build, after: provisioners, isAny: true, names: [build.id, plan.image] },
    ...provisioners.map((step) => ({ plan, build, after: [step], isAny: false, names: [`${build.id}/${own(step)}`, step.id, `${plan.image}/${own(step)}`] })),
  ];
}
