import type { IConstruct } from 'constructs';
import type { SourceLocation } from '../core/diagnostic.js';
import type { StepPolicy, StepRole } from '../plan/plan.js';
import type { StepKind } from '../plan/step-kind.js';

/** A step on its way into the plan: its spec still holds refs, secrets and assets as objects. */
export interface DraftStep {
  readonly id: string;
  readonly kind: StepKind;
  readonly title: string;
  readonly role: StepRole;
  readonly spec: object;
  readonly after: readonly string[];
  lifetime: 'run' | 'artifact' | 'none';
  readonly policy?: StepPolicy;
  readonly construct: IConstruct;
  readonly location?: SourceLocation;
}

/** A build on its way into the plan. */
export interface DraftBuild {
  readonly id: string;
  readonly name: string;
  readonly platform: string;
  readonly steps: DraftStep[];
  /** What `build.host` and the like mean here; raw values. */
  readonly variables: Readonly<Record<string, unknown>>;
  artifactStep: string | undefined;
  /** The step after which the machine can be provisioned. */
  machineStep: string | undefined;
  readonly construct: IConstruct;
  readonly location?: SourceLocation;
  /**
   * Where a post-processor's output `artifact` really is: a step that only passes its input on does not own it, and who
   * uses it must keep the owner alive.
   */
  readonly artifactOwner: Map<string, string>;
  /** The step of each post-processor that takes part, by its construct's path. */
  readonly postProcessorSteps: Map<string, string>;
}
