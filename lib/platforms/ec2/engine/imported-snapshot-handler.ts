import { BakeError } from '../../../core/bake-error.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import type { ImportedSnapshotSpec } from '../import-steps.js';
import { orGone } from './aws-call.js';
import type { DiskSnapshotHandle } from './disk-snapshot-handler.js';
import type { ImportFacts, ImportPort, ImportsFor } from './import-port.js';
import { isCompleted, isDone, removeSnapshot, removeStamped } from './snapshot-handler.js';
import { stamped, tokenTag } from './stamps.js';
import type { VolumeRegion, VolumeRegionFor } from './volume-region.js';
import { Watch } from './watch.js';

/** Has EC2 make a snapshot of a disk in a bucket. */
export function importedSnapshotHandler(regionFor: VolumeRegionFor, importsFor: ImportsFor): ResourceHandler<ImportedSnapshotSpec, DiskSnapshotHandle> {
  const watches = new Map<ImportPort, Watch<ImportFacts>>();
  const watchOf = (imports: ImportPort) => {
    const watch = watches.get(imports) ?? new Watch((ids: readonly string[], signal: AbortSignal) => imports.tasks({ ids }, signal));
    watches.set(imports, watch);
    return watch;
  };

  return {
    async acquire(spec, ctx) {
      const { access, bucket, key, format, roleName, description, encrypted, kmsKeyId } = spec;
      const [region, imports] = [regionFor(access), importsFor(access)];
      const tags = stamped(spec.tags, ctx);
      const task = await imports.start({ clientToken: `${ctx.token}-${ctx.ids.hex(4)}`, bucket, key, format, roleName, description, encrypted, kmsKeyId, tags }, ctx.signal);
      ctx.log(`${task}: EC2 reads s3://${bucket}/${key}`, 'info');
      const { snapshotId } = await watchOf(imports).until(task, (facts) => isImported(facts, ctx), ctx);
      const id = snapshotId!;
      await region.ec2.tag([id], tags, ctx.signal); // EC2 hands on no tags: until now the task alone says whose it is
      await region.snapshots.until(id, isDone, ctx);
      return handleOf(id, spec, region, ctx.token);
    },
    async find(token, spec, ctx) {
      const [region, imports] = [regionFor(spec.access), importsFor(spec.access)];
      const tasks = await imports.tasks({ tags: { [tokenTag]: token } }, ctx.signal);
      for (const { state, snapshotId } of tasks) {
        if (state === 'active') return handleOf(snapshotId ?? '', spec, region, token);
        // EC2 tells of tasks for days after their snapshots are gone.
        if (snapshotId !== undefined && ((await orGone(() => region.storage.snapshots({ ids: [snapshotId] }, ctx.signal)))?.length ?? 0) > 0) return handleOf(snapshotId, spec, region, token);
      }
      return undefined;
    },
    async release({ id, token, access }, ctx) {
      const [{ storage }, imports] = [regionFor(access), importsFor(access)];
      for (const task of await imports.tasks({ tags: { [tokenTag]: token } }, ctx.signal)) {
        if (task.state === 'active') await imports.cancel(task.id, ctx.signal);
        const { snapshotId } = task.state === 'active' ? await watchOf(imports).until(task.id, ({ state }) => state !== 'active', ctx) : task;
        if (snapshotId !== undefined) await removeSnapshot(snapshotId, storage, ctx);
      }
      if (id !== '') await removeStamped(id, token, storage, ctx);
    },
    holds: ({ id, access }, ctx) => isCompleted(id, regionFor(access).storage, ctx),
    settle: 10_000,
  };
}

function isImported({ id, state, message, progress, snapshotId }: ImportFacts, ctx: StepContext): boolean {
  if (state === 'ended' || (state === 'completed' && snapshotId === undefined)) {
    throw new BakeError({ code: 'ImportFailed', source: 'platform', message: `EC2 could not import the disk (${id})${message === undefined ? '' : `: ${message}`}`, hint: 'may the role "vmimport", or that of bucket.roleName, read the bucket, and use the key if it is encrypted?' });
  }
  if (progress !== undefined && state === 'active') ctx.progress({ label: `EC2 imports the disk${message === undefined ? '' : `: ${message}`}`, current: progress, total: 100, unit: 'items' });
  return state === 'completed';
}

async function handleOf(id: string, { access, architecture, bootMode }: ImportedSnapshotSpec, { ec2 }: VolumeRegion, token: string): Promise<DiskSnapshotHandle> {
  const region = await ec2.region();
  return { id, region, architecture, bootMode, token, access: { ...access, region } };
}
