import type * as z from 'zod';

/**
 * The contract of one kind of step, shared by the construct that compiles it and the handler that carries it out.
 * `resource`: something that exists outside and has a lifetime. `action`: done once, nothing to release.
 */
export interface StepKind<Spec = unknown> {
  /** `<folder>.<noun>`, such as `docker.container`. */
  readonly kind: string;
  readonly type: 'resource' | 'action';
  /** False of a resource that only names what others made: its release removes nothing, and nobody is told of one. @default true */
  readonly owns?: false;
  /** True of a resource whose output `artifact` is its input's: it does not own that thing. @default false */
  readonly passesOn?: true;
  /** True of one of the things that the artifact of its build stands for: it stays and goes with that, and is not listed beside it. @default false */
  readonly part?: true;
  /** True of a resource that dies with bake's own process, so that `--on-error keep` cannot keep it: it is released. @default false */
  readonly endsWithProcess?: true;
  /** What it makes, for people: `container`; `bake synth` lists it as temporary or kept. */
  readonly noun?: string;
  /** Strict: an unknown field is an error. Late fields are declared with `late()`. */
  readonly spec: z.ZodType<Spec>;
  /** The names other steps may refer to; the handle of a resource and the output of an action have these members. */
  readonly outputs: readonly string[];
  /** Goes into every fingerprint: raise it when the handler's effect changes. */
  readonly version: number;
  /**
   * What carrying it out costs, so that the engine knows how many to run at once: `wait` (unlimited),
   * `cpu` (as many as there are cores), `io` (a few). @default 'wait'
   */
  readonly cost?: 'wait' | 'cpu' | 'io';
  /**
   * Of an action that finds out what something outside of `bake` is now: the outputs that say so. It is carried out in
   * each run, and those outputs, not its spec, go into the fingerprints of what uses it. @default - its spec says it all
   */
  readonly lookup?: readonly string[];
  /** False if what it does depends on more than its fingerprint can see, so that it is carried out in each run unless the user says otherwise. @default true */
  readonly cache?: false;
  /**
   * What becomes of it in a build that goes on from a checkpoint of its machine. `again`: it is carried out as ever.
   * `inside`: it is not, because its effect is in the machine's state; its outputs are those of that time.
   * @default - its handler brings it back; a build with a step that cannot be brought back has no checkpoints
   */
  readonly atCheckpoint?: 'again' | 'inside';
  /**
   * Spec fields whose secrets the handler gets unresolved, as they stand in the plan, because it hands them on in its
   * handle, such as a connection. They are resolved where a later step refers to them.
   */
  readonly opaque?: readonly string[];
  /**
   * Spec fields that only say where it works, and change nothing of what comes of it, such as a folder for its files: they
   * are no part of its fingerprint, so that builds which differ in nothing else share their checkpoints.
   */
  readonly whereabouts?: readonly string[];
}

/** Declares a step kind; the type of its spec comes from the schema. */
export function defineStepKind<S extends z.ZodType>(kind: Omit<StepKind<z.output<S>>, 'spec'> & { spec: S }): StepKind<z.output<S>> {
  return kind as StepKind<z.output<S>>;
}
