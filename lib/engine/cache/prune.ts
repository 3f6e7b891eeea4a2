import { rm } from 'node:fs/promises';
import { BakeError } from '../../core/bake-error.js';
import { bytesOnDisk } from './bytes-on-disk.js';
import type { Checkpoint, CheckpointStore } from './checkpoint-store.js';
import { type KeepRules, leastUseful } from './least-useful.js';
import { type DiscardHost, discardOutside, savedKinds } from './save-checkpoint.js';

export interface PruneRequest extends KeepRules {
  readonly checkpoints: CheckpointStore;
  readonly services: DiscardHost['services'];
  readonly signal: AbortSignal;
  /** Removes nothing. @default false */
  readonly dryRun?: boolean;
}

/** A checkpoint, with the bytes that it really takes. */
export type SizedCheckpoint = Pick<Checkpoint, 'key' | 'build' | 'step' | 'title' | 'platform' | 'project' | 'at' | 'usedAt' | 'bytes'>;

export interface PrunedCheckpoints {
  /** What is gone, or would be. */
  readonly removed: readonly SizedCheckpoint[];
  readonly left: readonly SizedCheckpoint[];
  /** The keys of those of `left` that runs use. */
  readonly used: ReadonlySet<string>;
  /** What of a checkpoint that is gone could not be removed, and why. */
  readonly failed: readonly { readonly key: string; readonly title: string; readonly reason: string }[];
}

/** Removes checkpoints by the rules, while other processes build with the store: nothing that one of them uses goes, nor what that stands on. */
export async function pruneCheckpoints({ checkpoints, services, signal, dryRun = false, ...rules }: PruneRequest): Promise<PrunedCheckpoints> {
  const bytes = await sizesOf(await checkpoints.list());
  const sized = (one: Checkpoint): SizedCheckpoint => {
    const { key, build, step, title, platform, project, at, usedAt } = one;
    return { key, build, step, title, platform, project, at, usedAt, bytes: bytes.get(key) ?? one.bytes + one.bytesOutside };
  };
  const choose = (all: readonly Checkpoint[], used: ReadonlySet<string>) => leastUseful(all.map((one) => ({ ...sized(one), parent: one.parent })), used, rules);
  const failed: { key: string; title: string; reason: string }[] = [];
  const removed: SizedCheckpoint[] = [];
  if (dryRun) {
    const all = await checkpoints.list();
    const going = new Set(choose(all, await checkpoints.usedByOthers()));
    removed.push(...all.filter(({ key }) => going.has(key)).map(sized));
  }
  // Their names are gone at once; what they hold may take its time.
  for (const { checkpoint, rest } of dryRun ? [] : await checkpoints.takeAway(choose, signal)) {
    const { key, title } = checkpoint;
    removed.push(sized(checkpoint));
    try {
      await checkpoints.locked(key, signal, async () => {
        await rm(rest, { recursive: true, force: true });
        if (await checkpoints.peek(key) === undefined) await discardOutside(key, savedKinds(checkpoint), services, signal);
      });
    } catch (error) {
      if (signal.aborted) throw error;
      failed.push({ key, title, reason: BakeError.from(error).message });
    }
  }
  const gone = new Set(removed.map(({ key }) => key));
  const left = (await checkpoints.list()).filter(({ key }) => !gone.has(key)).map(sized);
  return { removed, left, used: await checkpoints.usedByOthers(), failed };
}

/** What a checkpoint takes beside its files, at most: its record, its folder, and the ends of blocks. */
const overhead = 32 * 1024;

/** Keeps the store under its limit. Cheap while it is: files are looked at only if what they say of themselves is too much. */
export async function pruneIfOver(request: PruneRequest & { readonly limit: number }): Promise<void> {
  const most = (await request.checkpoints.list()).reduce((sum, { bytes, bytesOutside }) => sum + bytes + bytesOutside + overhead, 0);
  if (most > request.limit) await pruneCheckpoints(request);
}

async function sizesOf(checkpoints: readonly Checkpoint[]): Promise<ReadonlyMap<string, number>> {
  const seen = new Set<string>();
  const sizes = new Map<string, number>();
  for (const { key, folder, bytesOutside } of checkpoints) sizes.set(key, bytesOutside + await bytesOnDisk(folder, seen));
  return sizes;
}
