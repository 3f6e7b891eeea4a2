import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, open, rename, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type * as z from 'zod';
import type { Artifact } from '../../../core/artifact.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import { outputFiles, type OutputFilesHandle } from '../../../engine/output-files.js';
import type { Disk, qemuImage } from '../steps.js';
import { wholeDisk } from './disk-layers.js';
import { convert, diskFacts } from './qemu-img.js';

type ImageSpec = z.output<(typeof qemuImage)['spec']>;

/** The finished disks: converted where they must be or shall be made compact, renamed otherwise. */
export const imageHandler: ResourceHandler<ImageSpec, OutputFilesHandle<{ readonly artifact: Artifact }>> = outputFiles<ImageSpec, { readonly artifact: Artifact }>({
  paths: ({ disks, output, efiVars }) => [
    ...disks.map((_, index) => pathOf(output, index)),
    ...(efiVars === undefined || efiVars === '' ? [] : [`${withoutEnding(output)}.efivars.fd`]),
  ],
  // Before anything is started: that the disks are late must not make this late.
  async checkKnown({ output }, ctx) {
    if (output !== undefined) await ctx.outputs.check(resolve(ctx.run.project, output));
  },
  async write(spec, ctx, parts, paths) {
    for (const [index, disk] of spec.disks.entries()) await finish(disk, parts[index]!, spec, ctx);
    const vars = spec.disks.length;
    if (parts[vars] !== undefined) await copyFile(spec.efiVars!, parts[vars]);
    const files: Artifact['files'] = await Promise.all(parts.map(async (part, index) => {
      await flush(part);
      const { size } = await stat(part);
      const sha256 = await digestOf(part, ctx);
      const path = paths[index]!;
      if (index >= vars) return { path, size, sha256, format: 'raw', role: 'efivars' };
      const { virtualSize, backingFile } = await diskFacts(part, spec.format, ctx);
      return { path, size, sha256, format: spec.format, virtualSize, role: 'disk', ...(backingFile === undefined ? {} : { backingFile }) };
    }));
    const id = paths[0]!;
    const { architecture, firmware, machine, format, tags = {} } = spec;
    return { artifact: { type: 'qemu.image', id, title: `disk image ${id}`, files, data: { format, architecture, firmware, machine, tags, ...(paths[vars] === undefined ? {} : { efiVars: paths[vars] }) } } };
  },
});

async function finish(first: Disk, part: string, spec: ImageSpec, ctx: StepContext): Promise<void> {
  const disk = await wholeDisk(first, ctx);
  const { backingFile } = await diskFacts(disk.file, disk.format, ctx);
  const { format, compact, keepBackingFile, base, compression, convertOptions } = spec;
  if (keepBackingFile && base !== undefined && base !== '' && backingFile !== base) {
    // There are layers of checkpoints in between.
    const { format: baseFormat } = await diskFacts(base, undefined, ctx);
    return convert({ from: disk, to: { file: part, format }, backing: { file: base, format: baseFormat }, ...(convertOptions === undefined ? {} : { options: convertOptions }) }, 'writing the image', ctx);
  }
  const isWhole = backingFile === undefined || keepBackingFile;
  if ((!compact || keepBackingFile) && compression === 'none' && disk.format === format && isWhole) return rename(disk.file, part);
  await convert({ from: disk, to: { file: part, format }, compression, ...(convertOptions === undefined ? {} : { options: convertOptions }) }, 'writing the image', ctx);
}

/** `web.qcow2`, then `web-1.qcow2`. */
function pathOf(output: string, index: number): string {
  if (index === 0) return output;
  const stem = withoutEnding(output);
  return `${stem}-${index}${output.slice(stem.length)}`;
}

function withoutEnding(path: string): string {
  return path.replace(/\.[A-Za-z0-9]+$/, '');
}

/** What is said to be done must survive a power cut. */
async function flush(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function digestOf(path: string, ctx: StepContext): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash, { signal: ctx.signal });
  return hash.digest('hex');
}
