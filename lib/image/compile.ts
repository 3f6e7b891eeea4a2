import type { Artifact } from '../core/artifact.js';
import type { Connection } from '../core/communicator.js';
import type { StepKind } from '../plan/step-kind.js';
import type { BuildVariable, Input, Ref } from './ref.js';

/** The fields of a spec as a construct writes them: plain values, `Ref`, `Secret`, `LateText`, `Asset`, `Size`, `Duration`. */
export type SpecInput<Spec> = { readonly [K in keyof Spec]: unknown };

/** A step as it goes into the plan. */
export interface CompiledStep<Spec = unknown> {
  readonly kind: StepKind<Spec>;
  /** One line for people, such as `shell: 3 lines`. */
  readonly title: string;
  readonly spec: SpecInput<Spec>;
}

/** A step that is in the plan. */
export interface PlannedStep {
  readonly id: string;
  /** @throws BakeError `UnknownOutput` if the kind has no such output */
  ref<T>(output: string): Ref<T>;
}

/** The machine that provisioners work on. */
export interface Machine {
  readonly step: PlannedStep;
  /** @default - no way in: a provisioner that asks for a connection is an error, `NoCommunicator` */
  readonly connection?: Ref<Connection>;
  /** What `build.host` and the like mean for this source; `name`, `platform` and `runId` are known without. */
  readonly variables?: { readonly [K in BuildVariable]?: unknown };
}

export interface StepOptions {
  /** `run` for what is temporary, `artifact` for what stays if the build succeeds. @default - `run` for a resource */
  readonly lifetime?: 'run' | 'artifact';
  /** Steps to wait for that the spec does not refer to. */
  readonly after?: readonly PlannedStep[];
  /** False of one that works on what the machine was made into: if that is there already, there need be no machine for it. @default true, once `provision` was called */
  readonly needsMachine?: false;
}

/** Hands a source the pen: it writes the steps of its build, top to bottom, as they could be read aloud. */
export interface BuildPlanner {
  /** The source's id. */
  readonly name: string;
  /** The tags of the source and of everything around it. */
  readonly tags: Readonly<Record<string, string>>;
  /** Adds a step `<source path>/<name>`. It waits for the steps that its spec refers to and, once `provision` was called, for the provisioners. */
  step<Spec>(name: string, step: CompiledStep<Spec>, options?: StepOptions): PlannedStep;
  /** Puts the image's provisioners here. At most once; a source without a machine never calls it. */
  provision(machine: Machine): void;
  /** Names the step whose output `artifact` is the build's artifact. Exactly once. */
  artifact(step: PlannedStep): void;
}

/** What a provisioner is compiled with, once per build that it takes part in. */
export interface ProvisionerScope {
  readonly buildName: string;
  readonly platform: string;
  readonly connection: Ref<Connection>;
}

/** What a post-processor is compiled with, once per build that it takes part in. */
export interface PostProcessorScope {
  readonly buildName: string;
  readonly platform: string;
  /** What it works on: the build's artifact, or that of the post-processor named as `input`. */
  readonly artifact: Ref<Artifact>;
  /**
   * Adds a step in front of the post-processor's own, which waits for it, unless it makes something temporary: that goes as soon as
   * the steps that refer to it are done. It waits for the artifact, unless `needsMachine` is false: then for the steps that its spec
   * refers to only. What it keeps goes with what the post-processor keeps.
   */
  step<Spec>(name: string, step: CompiledStep<Spec>, options?: StepOptions): PlannedStep;
  /**
   * Adds the steps that start the artifact as a throw-away machine, in front of the post-processor's own.
   * @param ports TCP ports of the machine that must be reachable from this computer
   * @throws BakeError `NoTrial` if the platform cannot start what it makes
   */
  trial(ports: readonly number[]): Trial;
}

/** Hands a source the pen once more, to start what it has made. */
export interface TrialPlanner {
  readonly buildName: string;
  readonly artifact: Ref<Artifact>;
  /** TCP ports of the machine that must be reachable from this computer. */
  readonly ports: readonly number[];
  /** As a build's; what it makes is removed as soon as nobody needs it any more. */
  step<Spec>(name: string, step: CompiledStep<Spec>, options?: StepOptions): PlannedStep;
}

/** A throw-away machine made of an artifact. */
export interface Trial {
  /** @default - no way in */
  readonly connection?: Ref<Connection>;
  /** The address at which this computer reaches its ports. */
  readonly host: Input<string>;
  /** For each port the one of `host` that leads there; one that is not in it is reached by its own number. */
  readonly ports: Input<Readonly<Record<string, number>>>;
  /** Steps after which it can be used, beyond those that are referred to. */
  readonly after?: readonly PlannedStep[];
}
