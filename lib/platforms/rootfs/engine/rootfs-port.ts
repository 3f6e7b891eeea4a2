import type * as z from 'zod';
import type { StepContext } from '../../../engine/handler.js';
import type { compressions, rootfsTree } from '../steps.js';

export type TreeSpec = z.output<(typeof rootfsTree)['spec']>;
export type Compression = (typeof compressions)[number];

/** A machine that holds a tree in namespaces: its first process. */
export interface RunningMachine {
  /** Process id, as this computer counts. */
  readonly init: number;
  /** When it started: tells it from a later process with the same number. */
  readonly initStart: string;
  readonly rootless: boolean;
}

export interface SealOptions {
  readonly cleanPackageCache: boolean;
  readonly clearLogs: boolean;
}

export interface PackOptions {
  /** Files that are newer get this time; seconds since the epoch. */
  readonly clampTime: number;
  readonly compression: Compression;
}

export interface PackedLayer {
  /** `sha256:<hex>` of the file. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  /** `sha256:<hex>` of the archive before it was compressed. */
  readonly diffId: string;
}

export interface PatchFiles {
  /** Where the patch goes. */
  readonly archive: string;
  /** The note of the state that it starts from. @default - it holds the whole tree */
  readonly since?: string;
  /** Where a note of the tree's state goes, for the next patch of the same tree. */
  readonly note: string;
}

/**
 * What the handlers need of a computer that can hold root trees. Trees are folders of the computer's file system; all
 * that a call starts carries `ctx.token`, so that it is found after a crash.
 * @remarks All methods stop soon after `ctx.signal` is aborted, and reject with its reason. Errors, besides those named:
 * `PlatformUnsupported`, `RootlessUnavailable`, `NamespacesUnavailable`, `DiskFull`, `CommandNotFound`.
 */
export interface RootfsPort {
  /** Whether trees can be made and entered here; starts nothing that stays. */
  check(ctx: StepContext): Promise<void>;
  /** Whether a package mirror can be bootstrapped from. @throws BakeError `CommandNotFound` */
  checkMirrorTool(ctx: StepContext): Promise<void>;
  /** Whether there is a program for it. @throws BakeError `CommandNotFound` */
  checkCompression(compression: Compression, ctx: StepContext): Promise<void>;
  /** Makes `tree`, which does not exist yet, from a package mirror; `scratch` is a folder for temporary files. @throws BakeError `RootfsBootstrapFailed`, `MirrorUnreachable` */
  bootstrap(spec: TreeSpec, tree: string, scratch: string, ctx: StepContext): Promise<void>;
  /** Makes `tree` from a tarball; nothing in it gets out of `tree`. @throws BakeError `RootfsTarballInvalid` */
  unpack(archive: string, tree: string, ctx: StepContext): Promise<void>;
  /** Makes `target` from a folder, owners and times kept. */
  copy(folder: string, target: string, ctx: StepContext): Promise<void>;
  /** Writes what has changed in a tree, which may be in use. @throws BakeError `RootfsSaveFailed` */
  savePatch(tree: string, files: PatchFiles, ctx: StepContext): Promise<void>;
  /** Makes `tree`, which does not exist yet, from patches, oldest first, and notes its state. @throws BakeError `RootfsRestoreFailed` */
  applyPatches(archives: readonly string[], tree: string, note: string, ctx: StepContext): Promise<void>;
  /** Starts the namespaces of a tree. They end by themselves when this process does. @throws BakeError `MachineStartFailed` */
  start(tree: string, options: { readonly hostname: string; readonly scratch: string }, ctx: StepContext): Promise<RunningMachine>;
  /** Whether anything runs in a machine besides itself. */
  isBusy(machine: Pick<RunningMachine, 'init'>): Promise<boolean>;
  /** Writes what is in the memory file systems of a machine to an archive. @throws BakeError `RootfsSaveFailed` */
  saveMemory(machine: RunningMachine, archive: string, ctx: StepContext): Promise<void>;
  /** Puts that into another machine. @throws BakeError `RootfsRestoreFailed` */
  fillMemory(machine: RunningMachine, archive: string, ctx: StepContext): Promise<void>;
  /** The machine that carries the token. */
  findMachine(token: string, ctx: StepContext): Promise<RunningMachine | undefined>;
  /** Ends whatever carries the token, and waits until it is gone; nothing there is success. */
  end(token: string, ctx: StepContext): Promise<void>;
  /** Ends what runs in a machine, but not the machine: TERM, then KILL. A machine that is gone is success. */
  quiet(machine: Omit<RunningMachine, 'rootless'>, ctx: StepContext): Promise<void>;
  /** Removes from a tree what building left in it and what would differ from one build to the next. */
  seal(tree: string, options: SealOptions, ctx: StepContext): Promise<void>;
  /** Writes a tree as a tar archive: the same tree gives the same bytes. */
  pack(tree: string, file: string, options: PackOptions, ctx: StepContext): Promise<void>;
  /** The same, with the digests that an OCI layout needs. */
  packLayer(tree: string, file: string, options: PackOptions, ctx: StepContext): Promise<PackedLayer>;
  /** Sets the times of all that is newer than `clampTime` (seconds since the epoch). */
  clampTimes(tree: string, clampTime: number, ctx: StepContext): Promise<void>;
  /** Removes a folder with a tree in it, whoever its files belong to; nothing there is success. @throws BakeError `TreeMounted` if something is mounted in it: it is never reached into */
  remove(folder: string, ctx: StepContext): Promise<void>;
}
