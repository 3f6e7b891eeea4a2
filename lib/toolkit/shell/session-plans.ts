import type { Extension } from '../../engine/extension.js';
import { Registry } from '../../engine/registry.js';
import { withNeededBuilds } from '../../engine/run-state.js';
import { sessionStep } from '../../engine/session.js';
import type { Plan, PlanStep } from '../../plan/plan.js';
import type { ShellTarget } from './shell-target.js';

export interface SessionPlans {
  readonly plans: readonly Plan[];
  /** Ids of their builds. */
  readonly builds: ReadonlySet<string>;
  /** Ids of the steps that are to be as earlier runs left them. */
  readonly untouched: ReadonlySet<string>;
}

/** What it takes to have the machine as it is after its provisioners, and then somebody in it. */
export function sessionPlans(all: readonly Plan[], { plan, build, after }: ShellTarget, extensions: readonly Extension[]): SessionPlans {
  const registry = new Registry(extensions);
  const last = after.map(({ id }) => id);
  const kept = closure(plan.steps, build.id, [build.machine!, ...last]);
  const way = kept.findLast(({ kind }) => registry.kind(kind).outputs.includes('connection'))?.id ?? build.machine!;
  const session: PlanStep = {
    id: `${build.id}~session`, kind: sessionStep.kind, title: 'session', role: 'post-processor', spec: { connection: { $ref: `${way}#connection` } },
    needs: [...new Set([way, build.machine!, ...last])], lifetime: 'none', build: build.id,
  };
  const cut = all.map((one) => (one === plan ? { ...plan, steps: [...plan.steps.filter((other) => other.build !== build.id), ...kept, session] } : one));
  const builds = withNeededBuilds(cut, new Set([build.id]));
  const plans = cut.map((one) => ({ ...one, builds: one.builds.filter(({ id }) => builds.has(id)), steps: one.steps.filter((other) => builds.has(other.build)) })).filter((one) => one.builds.length > 0);
  const isUntouched = ({ kind }: PlanStep) => registry.kind(kind).lookup === undefined && registry.kind(kind).atCheckpoint !== 'again';
  return { plans, builds, untouched: new Set(plans.flatMap(({ steps }) => steps.filter((one) => one !== session && isUntouched(one)).map(({ id }) => id))) };
}

/** The steps of a build that others of it stand on, with these. */
function closure(steps: readonly PlanStep[], build: string, ids: readonly string[]): readonly PlanStep[] {
  const found = new Set<string>();
  const add = (id: string): void => {
    const step = steps.find((one) => one.id === id && one.build === build);
    if (step === undefined || found.has(id)) return;
    found.add(id);
    for (const need of step.needs) add(need);
  };
  for (const id of ids) add(id);
  return steps.filter(({ id }) => found.has(id));
}
