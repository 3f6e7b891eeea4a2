import { join } from 'node:path';
import { BakeError } from '../../../core/bake-error.js';
import { byteMeter } from '../../../engine/byte-meter.js';
import type { JsonObject } from '../../../core/json.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import { formatBytes } from '../../../core/size.js';
import type { DiskSnapshotSpec } from '../import-steps.js';
import { countBlocks, putBlocks } from './disk-blocks.js';
import { diskOf, openDisk, type OpenDisk } from './disk-file.js';
import { gibibytesOf, startOf } from './imported-disk.js';
import { isCompleted, isDone, removeStamped, stampedWith } from './snapshot-handler.js';
import { stamped } from './stamps.js';
import { type BlockRequest, blockSize, type UploadPort, type UploadsFor } from './upload-port.js';
import type { VolumeRegionFor } from './volume-region.js';

export type DiskSnapshotHandle = JsonObject & { readonly id: string; readonly region: string; readonly architecture: string; readonly bootMode: string; readonly token: string; readonly access: JsonObject };

/** For so long a snapshot that was just started may be unknown, or its blocks not be taken. Milliseconds. */
const longestUnknown = 120_000;
const [firstPause, longestPause] = [250, 4_000];

/** Makes a snapshot of a disk of this computer, block by block. */
export function diskSnapshotHandler(regionFor: VolumeRegionFor, uploadsFor: UploadsFor): ResourceHandler<DiskSnapshotSpec, DiskSnapshotHandle> {
  return {
    // That nothing says which region is meant is known before the disk is built.
    async checkKnown({ access }) {
      if (access !== undefined) await regionFor(access).ec2.region();
    },
    async acquire(spec, ctx) {
      const { access, description, encrypted, kmsKeyId, tags } = spec;
      const region = regionFor(access);
      const uploads = uploadsFor(access);
      const start = startOf(spec);
      const disk = await openDisk(diskOf(spec, ctx.warn), join(ctx.run.tmp, 'import'), ctx);
      try {
        const gibibytes = gibibytesOf(disk.size, spec);
        // Of its own for each attempt: what an attempt before this one made is gone.
        const id = await uploads.start({ clientToken: `${ctx.token}-${ctx.ids.hex(8)}`, gibibytes, description, encrypted, kmsKeyId, tags: stamped(tags, ctx) }, ctx.signal);
        await upload(id, disk, uploads, ctx);
        await region.snapshots.until(id, isDone, ctx);
        // An EC2 that is not Amazon's may not know client tokens: of a call whose answer was lost there is another one.
        for (const other of await stampedWith(ctx.token, region.storage, ctx)) if (other.id !== id) await region.storage.deleteSnapshot(other.id, ctx.signal);
        return await handleOf(id, spec, ctx.token, start);
      } finally {
        await disk.close();
      }
    },
    async find(token, spec, ctx) {
      const [found] = await stampedWith(token, regionFor(spec.access).storage, ctx);
      return found === undefined ? undefined : handleOf(found.id, spec, token, { architecture: '', bootMode: '' });
    },
    release: ({ id, token, access }, ctx) => removeStamped(id, token, regionFor(access).storage, ctx),
    holds: ({ id, access }, ctx) => isCompleted(id, regionFor(access).storage, ctx),
    settle: 10_000,
  };

  async function handleOf(id: string, { access }: DiskSnapshotSpec, token: string, start: { readonly architecture: string; readonly bootMode: string }): Promise<DiskSnapshotHandle> {
    const region = await regionFor(access).ec2.region();
    return { id, region, ...start, token, access: { ...access, region } };
  }
}

async function upload(id: string, disk: OpenDisk, uploads: UploadPort, ctx: StepContext): Promise<void> {
  const total = countBlocks(disk.extents) * blockSize;
  ctx.log(`${id}: sending what is not empty of ${formatBytes(disk.size)}: at most ${formatBytes(total)}`, 'info');
  const sum = await putBlocks(disk, (block, signal) => putBlock(id, block, uploads, { clock: ctx.clock, signal }), byteMeter(ctx, 'sending the disk', total), ctx.signal);
  await uploads.complete(id, sum, ctx.signal);
  ctx.log(`${id}: ${formatBytes(sum.blocks * blockSize)} sent`, 'info');
}

/** The SDK has tried several times already when it says that there is too much just now. */
async function putBlock(id: string, block: BlockRequest, uploads: UploadPort, { clock, signal }: Pick<StepContext, 'clock' | 'signal'>): Promise<void> {
  const deadline = clock.now() + longestUnknown;
  for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
    try {
      return await uploads.put(id, block, signal);
    } catch (error) {
      if (!BakeError.is(error) || !(error.transient || error.code === 'Ec2NotFound') || clock.now() > deadline) throw error;
      await clock.sleep(pause, signal);
    }
  }
}
