import type { Communicator, Connection } from '../core/communicator.js';
import type { JsonObject } from '../core/json.js';
import type { Clock, Exec, Ids } from '../core/ports.js';
import type { PlanStep } from '../plan/plan.js';
import type { StepKind } from '../plan/step-kind.js';
import type { AnyHandler } from './handler.js';

/** Opens communicators of one kind. */
export type OpenCommunicator = (connection: Connection, host: CommunicatorHost) => Promise<Communicator>;

export interface CommunicatorHost {
  readonly exec: Exec;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Folder for temporary files (control sockets, keys at mode 0600), removed with the run. */
  readonly tmp: string;
  readonly log: (line: string) => void;
}

/** One thing that must be on this machine. */
export interface DoctorCheck {
  /** `docker daemon`, `mmdebstrap`. */
  readonly name: string;
  readonly ok: boolean;
  /** Version and place if found; what is missing if not. */
  readonly detail: string;
  /** False: only some features need it. */
  readonly required: boolean;
  /** Commands that install it on this host, each an argument list; run by `bake setup` after asking. */
  readonly install?: readonly (readonly string[])[];
}

export interface DoctorHost {
  readonly exec: Exec;
  /** `linux`, `darwin`, `win32`. */
  readonly os: NodeJS.Platform;
  /** Debian's and its children's package manager is there. */
  readonly hasApt: boolean;
  readonly isRoot: boolean;
}

/** Something with our stamp that no journal names. */
export interface Stray {
  readonly kind: string;
  readonly title: string;
  /** Run id taken from the stamp. */
  readonly run: string;
  /** The home of the run, of what is seen from other computers too. @default this computer's */
  readonly home?: string;
  remove(): Promise<void>;
}

/** What a checkpoint keeps outside of its folder. */
export interface SavedOutside {
  /** The checkpoint's. */
  readonly key: string;
  readonly title: string;
  remove(): Promise<void>;
}

/**
 * What a folder under `platforms/`, `provisioners/`, `post-processors/` or `communicators/` adds to `bake`.
 * Nothing in it loads a handler, an SDK or a library until it is asked to.
 */
export interface Extension {
  /** The folder's name. */
  readonly name: string;
  readonly steps: readonly { readonly kind: StepKind; readonly load: () => Promise<AnyHandler> }[];
  readonly communicators?: Readonly<Record<string, () => Promise<OpenCommunicator>>>;
  readonly doctor?: (host: DoctorHost) => Promise<readonly DoctorCheck[]>;
  /** Retires images that newer ones of their build stand for; for `bake prune --platform`. */
  readonly pruneImages?: (options: ImagePruning, host: ScanHost) => Promise<readonly PrunedImage[]>;
  /** What an account must allow for these steps of a plan, as its platform writes policies; for `bake doctor --policy`. */
  readonly policy?: (steps: readonly PlanStep[]) => Promise<JsonObject>;
  /** Lists what carries a stamp of ours, of any run; for `bake clean --scan`. */
  readonly scan?: (host: ScanHost, unseen: Unseen) => Promise<readonly Stray[]>;
  /** Lists what checkpoints of the cache folder `cache` keep outside of their folders, also of those that are gone; for `bake prune`. */
  readonly savedOutside?: (host: ScanHost, cache: string) => Promise<readonly SavedOutside[]>;
}

/** Which images are retired, and how fast. */
export interface ImagePruning {
  /** Only images of this project, as it is called. */
  readonly projectName: string;
  /** So many of each build stay, the newest. */
  readonly keep: number;
  /** Younger ones stay; milliseconds. */
  readonly olderThan: number;
  /** Milliseconds between two stages of an image. */
  readonly grace: number;
  /** Removed at once, without stages. */
  readonly now: boolean;
  readonly dryRun: boolean;
}

/** What has become of an image that was looked at. */
export interface PrunedImage {
  readonly title: string;
  readonly build: string;
  readonly action: 'kept' | 'deprecated' | 'disabled' | 'removed';
  readonly reason: string;
}

/** To be told of a place that cannot be looked at, where others can. */
export type Unseen = (place: string, error: unknown) => void;

export interface ScanHost {
  readonly exec: Exec;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly signal: AbortSignal;
  /** The folder of `image.ts`. */
  readonly project: string;
  /** Where to look, of platforms that have regions; `all` stands for each. @default - the one that the environment names */
  readonly regions?: readonly string[];
}
