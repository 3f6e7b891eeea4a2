import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '../../../core/json.js';
import { formatBytes } from '../../../core/size.js';
import { fileChanged } from '../../../engine/artifact-files.js';
import { byteMeter } from '../../../engine/byte-meter.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import type { UploadedDiskSpec } from '../import-steps.js';
import { convert, diskOf, diskSize, type DiskFile } from './disk-file.js';
import { gibibytesOf, startOf } from './imported-disk.js';
import type { ObjectPlace, ObjectsFor } from './object-port.js';

type Handle = JsonObject & ObjectPlace & { readonly format: string; readonly architecture: string; readonly bootMode: string; readonly access: JsonObject };

/** How qemu-img writes what EC2 takes. */
const written = { vmdk: ['vmdk', 'subformat=streamOptimized'], vhd: ['vpc', 'subformat=dynamic,force_size=on'], raw: ['raw', undefined] } as const;

/** Puts a disk into a bucket, for as long as EC2 reads it. */
export function uploadedDiskHandler(objectsFor: ObjectsFor): ResourceHandler<UploadedDiskSpec, Handle> {
  return {
    async checkKnown({ access, bucket }, ctx) {
      if (access !== undefined && bucket !== undefined) await objectsFor(access).checkBucket(bucket, ctx.signal);
    },
    async acquire(spec, ctx) {
      const start = startOf(spec);
      const disk = diskOf(spec, ctx.warn);
      gibibytesOf(await diskSize(disk, ctx), spec);
      const place = placeOf(ctx.token, spec);
      const before = await stat(disk.file);
      const { file, close } = await fileToSend(disk, spec, ctx);
      try {
        const { size } = await stat(file);
        ctx.log(`s3://${place.bucket}/${place.key}: ${formatBytes(size)}`, 'info');
        await objectsFor(spec.access).upload(place, { file, kmsKeyId: spec.kmsKeyId }, byteMeter(ctx, 'sending the disk', size), ctx.signal);
        const after = await stat(disk.file);
        if (after.size !== before.size || after.mtimeMs !== before.mtimeMs) throw fileChanged(disk.file);
      } finally {
        await close();
      }
      return { ...place, format: spec.sent, ...start, access: spec.access as JsonObject };
    },
    async find(token, spec, ctx) {
      const place = placeOf(token, spec);
      return await objectsFor(spec.access).isThere(place, ctx.signal) ? { ...place, format: spec.sent, architecture: '', bootMode: '', access: spec.access as JsonObject } : undefined;
    },
    release: ({ bucket, key, access }, ctx) => objectsFor(access).remove({ bucket, key }, ctx.signal),
  };
}

/** The name says whose it is: so it is found without a list. */
function placeOf(token: string, { bucket, prefix, sent }: UploadedDiskSpec): ObjectPlace {
  return { bucket, key: `${prefix}${token}.${sent}` };
}

async function fileToSend(disk: DiskFile, { sent }: UploadedDiskSpec, ctx: StepContext): Promise<{ readonly file: string; readonly close: () => Promise<void> }> {
  // A disk has whole sectors.
  if (sent === 'raw' && disk.format === 'raw' && (await stat(disk.file)).size % 512 === 0) return { file: disk.file, close: async () => {} };
  const [format, options] = written[sent];
  const tmp = join(ctx.run.tmp, 'import');
  const file = join(tmp, `disk.${sent}`);
  await mkdir(tmp, { recursive: true });
  await convert(disk, { file, format }, options === undefined ? [] : ['-o', options], tmp, ctx);
  return { file, close: () => rm(file, { force: true }) };
}
