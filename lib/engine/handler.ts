import type * as z from 'zod';
import type { Communicator, Connection } from '../core/communicator.js';
import type { JsonObject } from '../core/json.js';
import type { Clock, Exec, Ids } from '../core/ports.js';
import type { Question } from '../core/events.js';
import type { OutputClaims } from './output-claims.js';

/** What a handler may use. Everything it needs beyond its own adapter comes in here. */
export interface StepContext {
  /** The step being carried out; `build` is the build's id, `buildName` the source's own id, `platform` the source's. */
  readonly step: { readonly id: string; readonly kind: string; readonly title: string; readonly build: string; readonly buildName: string; readonly platform: string };
  readonly run: {
    readonly id: string;
    /** Folder for temporary files of this step; made on first use by the handler, removed with the run. */
    readonly tmp: string;
    /** Folder for what people may want to read later, such as a serial console; made on first use, kept with the run. */
    readonly logs: string;
    /** The folder of `image.ts`: relative paths in specs start here. */
    readonly project: string;
    /** Folder for what later runs may use again, such as downloads; shared by all projects and processes of a user, and made on first use. */
    readonly cache: string;
    /** Whether `--force` was given: what stands in the way may be replaced. */
    readonly force: boolean;
    /** Stands for the computer on which it can be seen whether this run is alive; goes on what is seen from other computers too. */
    readonly home?: string;
    /** What the project is called, wherever it lies. */
    readonly projectName?: string;
  };
  /** `<run id>-<hash of the step id>`: the stamp to put on whatever the handler creates. The same on every attempt and in recovery. */
  readonly token: string;
  /** Aborted by Ctrl-C, a timeout, or the end of a run. A handler stops soon after. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly exec: Exec;
  readonly ids: Ids;
  /** A line for the user and the log; the machine's output by default. */
  readonly log: (line: string, stream?: 'stdout' | 'stderr' | 'info') => void;
  readonly progress: (progress: { label: string; current: number; total?: number; unit: 'bytes' | 'items' }) => void;
  readonly warn: (warning: { code: string; message: string; hint?: string }) => void;
  /** Asks the user; the fallback's key without a terminal. */
  readonly ask: (question: Question) => Promise<string>;
  /** Masks a secret that the handler learned (a generated password) from now on. */
  readonly maskSecret: (value: string) => void;
  /**
   * The communicator of a connection: opened once per run, shared by all steps, closed by the engine before the machine is released.
   * @param giveUp ends the waiting for a machine that is not there yet; the step's own signal does so too
   */
  readonly connect: (connection: Connection, giveUp?: AbortSignal) => Promise<Communicator>;
  /** Who may write which output path; `outputFile` uses it for you. */
  readonly outputs: OutputClaims;
  /**
   * What something outside is that may be another thing tomorrow: what the project's `bake.lock.json` says, or what the
   * lookup finds, which is then written there. Undefined if the lookup finds nothing that would be the same elsewhere.
   * @param what kind and name in one line, such as `docker debian:12`
   * @param lookup is told whether the user wants a pin renewed, and must then not answer from what is on this computer
   * @throws BakeError `NotPinned` with `--frozen`, `InvalidPinFile`
   */
  readonly pin: <Pin extends JsonObject>(what: string, schema: z.ZodType<Pin>, lookup: (isRenewal: boolean) => Promise<Pin | undefined>) => Promise<Pin | undefined>;
}

/**
 * Exists outside and has a lifetime. A handle is JSON without secrets: it is journalled, and its members are the
 * step's outputs.
 */
export interface ResourceHandler<Spec, Handle extends JsonObject> {
  /** Creates it, stamped with `ctx.token` as it is created. The intent is on disk already. */
  acquire(spec: Spec, ctx: StepContext): Promise<Handle>;
  /** Finds what `acquire` with this token left behind, also a half-made one; undefined if there is nothing. */
  find(token: string, spec: Spec, ctx: StepContext): Promise<Handle | undefined>;
  /** Removes it and waits until it is gone. Idempotent: not found is success. */
  release(handle: Handle, ctx: StepContext): Promise<void>;
  /**
   * Looks for what would make the step fail, before the first step of the run starts; changes nothing. Called only if the
   * spec is known in full by then. Throws a BakeError.
   */
  check?(spec: Spec, ctx: StepContext): Promise<void>;
  /** As `check`, for a step whose spec has refs in it: `known` holds the fields that have none. */
  checkKnown?(known: Partial<Spec>, ctx: StepContext): Promise<void>;
  /**
   * Why what was made went away by itself, if it did, and another one in its place may stay; undefined if it is there, or ended
   * for a reason that another one would have too. Asked when a step that needs it has failed: its build then starts again from here.
   */
  lost?(handle: Handle, ctx: StepContext): Promise<string | undefined>;
  /** For who had it kept with `--on-error keep`: the command that enters it. */
  entry?(handle: Handle): string;
  /** Milliseconds that "not found" may be wrong after a creation. @default 0 */
  readonly settle?: number;
  /** For its fingerprint; `known` holds the fields of the spec that have no refs. @default - the spec says it all */
  reads?(known: Partial<Spec>, ctx: StepContext): Promise<OutsideInputs>;
  /**
   * Whether what an earlier run made is still there and as it was; `ctx.token` is that run's stamp. A step without this is
   * carried out in each run. Changes nothing.
   */
  holds?(handle: Handle, ctx: StepContext): Promise<boolean>;
  /** How a machine of this kind, or what goes with one, is saved and brought back. */
  readonly checkpoint?: Checkpointing<Spec, Handle>;
}

/** What a step depends on beyond its spec. */
export interface OutsideInputs {
  /** Absolute paths of files of this computer whose content it reads; one that is not there is left out. */
  readonly files?: readonly string[];
  /** Facts that make a difference. */
  readonly facts?: JsonObject;
  /** What nobody can know the state of, for people: such a step is never taken from a cache. */
  readonly unknown?: string;
}

/** Where a checkpoint is kept. */
export interface CheckpointPlace {
  /** The fingerprint of the state: 64 hex digits. */
  readonly key: string;
  /** An existing folder of its own, which is empty when something is saved. Its files are not changed after that; what is saved may name them relative to it. */
  readonly folder: string;
  /** The path that the folder has once all is saved. */
  readonly home: string;
  /** The checkpoint that the machine had been brought back from, or was saved in last, in the same run; it stays as long as this one. */
  readonly parent?: SavedPlace;
}

/** A checkpoint that is whole. */
export interface SavedPlace extends CheckpointPlace {
  /** What `save` gave. */
  readonly saved: JsonObject;
}

/** Saving what a resource holds, and bringing it back in a later run. */
export interface Checkpointing<Spec, Handle extends JsonObject> {
  /**
   * Saves the state, and lets the resource go on as it was. What it makes outside of the folder carries the key, and its
   * size is told as `bytes`. Undefined if there is something in it now that would not come back, such as a process that runs;
   * then nothing is saved.
   */
  save(handle: Handle, place: CheckpointPlace, ctx: StepContext): Promise<JsonObject | undefined>;
  /** Names of its files in the folder that only `restore` of this checkpoint reads, and not that of one which stands on it. @default - none */
  readonly alone?: readonly string[];
  /** As `acquire`, but in the state that was saved. */
  restore(from: SavedPlace, spec: Spec, ctx: StepContext): Promise<Handle>;
  /** Whether what was saved outside of the folder is still there and whole. @default - all is in the folder */
  isWhole?(place: SavedPlace, ctx: CheckpointContext): Promise<boolean>;
  /** Removes what `save` made outside of the folder under this key, also half of it. Idempotent. @default - all is in the folder */
  discard?(key: string, ctx: CheckpointContext): Promise<void>;
}

/** What there is of a context when a checkpoint is looked at without its step. */
export type CheckpointContext = Pick<StepContext, 'signal' | 'clock' | 'exec' | 'warn'>;

/** Done once, nothing to release. */
export interface ActionHandler<Spec, Output extends JsonObject> {
  run(spec: Spec, ctx: StepContext): Promise<Output>;
  /** As for a resource. */
  check?(spec: Spec, ctx: StepContext): Promise<void>;
  /** As for a resource. */
  checkKnown?(known: Partial<Spec>, ctx: StepContext): Promise<void>;
  /** As for a resource. */
  reads?(known: Partial<Spec>, ctx: StepContext): Promise<OutsideInputs>;
}

// A registry of handlers of unrelated specs: each is called only with the spec its own kind's schema has accepted.
export type AnyHandler = ResourceHandler<never, JsonObject> | ActionHandler<never, JsonObject>;
