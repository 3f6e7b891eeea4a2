import { copyFile, constants, link, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { StepContext } from '../../../engine/handler.js';
import type { Disk } from '../steps.js';
import { diskFacts, qemuImg } from './qemu-img.js';

/**
 * The layers of a machine's disk while it is built. At a checkpoint what has been written so far is left as it is, and a new
 * layer is put on top, beside the disk: `disk.qcow2`, `disk.qcow2.1`, `disk.qcow2.2`.
 */
export async function layersOf(disk: Disk): Promise<readonly Disk[]> {
  const prefix = `${basename(disk.file)}.`;
  const numbers = (await readdir(dirname(disk.file))).filter((name) => name.startsWith(prefix)).map((name) => Number(name.slice(prefix.length)));
  return [disk, ...numbers.filter(Number.isInteger).sort((a, b) => a - b).map((number) => ({ file: `${disk.file}.${number}`, format: 'qcow2' as const }))];
}

/** Makes the next layer, whose content will be found at `base` once the layer below is kept there. @returns the layer below, and the new one */
export async function nextLayer(disk: Disk, baseOf: (below: Disk) => string, virtualSize: number, ctx: StepContext): Promise<{ readonly below: Disk; readonly layer: Disk }> {
  const layers = await layersOf(disk);
  const below = layers.at(-1)!;
  const file = `${disk.file}.${layers.length}`;
  await qemuImg(['create', '-q', '-u', '-f', 'qcow2', '-F', below.format, '-b', baseOf(below), file, String(virtualSize)], ctx);
  return { below, layer: { file, format: 'qcow2' } };
}

/** The whole disk, once the machine is off: its topmost layer, with every layer's base where it is now. */
export async function wholeDisk(disk: Disk, ctx: StepContext): Promise<Disk> {
  const layers = await layersOf(disk);
  for (const [index, { file, format }] of layers.entries()) {
    const below = layers[index - 1];
    if (below === undefined) continue;
    const { backingFile } = await diskFacts(file, format, ctx);
    // The last checkpoint may not have been kept, and another run's be there in its place; one that others stand on stays, or is gone with them.
    const isBelow = index < layers.length - 1 ? backingFile !== undefined && await stat(backingFile).then(() => true, () => false) : backingFile === below.file;
    if (!isBelow) await qemuImg(['rebase', '-q', '-u', '-f', format, '-F', below.format, '-b', below.file, file], ctx);
  }
  return layers.at(-1)!;
}

/** The name of a disk's layer in a checkpoint. */
export function savedName(index: number, { format }: Disk): string {
  return `disk-${index}.${format}`;
}

/** The layers in a checkpoint's folder, in the order of the disks. */
export async function savedDisks(folder: string): Promise<readonly Disk[]> {
  const found = (await readdir(folder)).flatMap((name) => {
    const [, index, format] = /^disk-(\d+)\.(qcow2|raw)$/.exec(name) ?? [];
    return index === undefined ? [] : [{ index: Number(index), disk: { file: join(folder, name), format: format as Disk['format'] } }];
  });
  return found.sort((a, b) => a.index - b.index).map(({ disk }) => disk);
}

/** Keeps a layer that nobody writes to any more under a second name; copies it if that is on another file system. */
export async function keepLayer({ file }: Disk, kept: string, ctx: StepContext): Promise<void> {
  try {
    await link(file, kept);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    if (await copyFile(file, kept, constants.COPYFILE_FICLONE_FORCE).then(() => true, () => false)) return;
    await ctx.exec.run({ command: 'cp', args: ['--sparse=always', '--', file, kept], signal: ctx.signal });
  }
}
