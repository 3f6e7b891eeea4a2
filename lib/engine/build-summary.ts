import type { Artifact } from '../core/artifact.js';
import type { BuildSummary } from '../core/events.js';
import type { JsonObject } from '../core/json.js';
import { isResult } from './cache/record-build.js';
import type { Registry } from './registry.js';
import { reportOf } from './resources.js';
import type { ResumePoints } from './resume-points.js';
import type { BuildState, StepState } from './run-state.js';
import type { EngineServices } from './services.js';

export interface SummaryOptions {
  readonly services: Pick<EngineServices, 'clock' | 'registry'>;
  readonly outputs: ReadonlyMap<string, JsonObject>;
  readonly resumePoints: ResumePoints;
}

/** How a build went, as of now. */
export function summaryOf(build: BuildState, { services: { clock, registry }, outputs, resumePoints }: SummaryOptions): BuildSummary {
  const status = build.status === 'waiting' || build.status === 'running' ? 'cancelled' : build.status;
  const owners = build.steps.filter((state) => isResult(state, registry));
  const artifacts = status === 'succeeded' ? owners.flatMap((state) => { const artifact = outputs.get(state.step.id)?.['artifact']; return artifact === undefined ? [] : [artifact as unknown as Artifact]; }) : [];
  const resumesAfter = resumePoints.of(build);
  return {
    build: build.plan.id, status, milliseconds: build.startedAt === undefined ? 0 : (build.endedAt ?? clock.now()) - build.startedAt, artifacts,
    ...(isUpToDate(build, registry) ? { upToDate: true } : {}), ...(resumesAfter === undefined ? {} : { resumesAfter }), ...(build.error === undefined ? {} : { error: reportOf(build.error) }),
  };
}

/** Nothing was done but to look. */
function isUpToDate({ status, steps }: BuildState, registry: Registry): boolean {
  return status === 'succeeded' && steps.some((state) => state.isCached) && steps.every((state) => state.isCached || state.step.role === 'error-cleanup' || isLookup(state, registry));
}

/** Whether a step only looks something up, and stands on nothing that its build makes. */
export function isLookup({ step, needs, build }: StepState, registry: Registry): boolean {
  return registry.kind(step.kind).lookup !== undefined && needs.every((need) => need.build !== build || isLookup(need, registry));
}
