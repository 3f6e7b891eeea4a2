import { constants } from 'node:fs';
import { copyFile, mkdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type * as z from 'zod';
import type { Artifact } from '../../../core/artifact.js';
import { BakeError } from '../../../core/bake-error.js';
import { asDiskError } from '../../../core/disk-error.js';
import type { JsonObject } from '../../../core/json.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import type { Disk, qemuDisk } from '../steps.js';
import { convert, diskFacts, type DiskFacts, qemuImg } from './qemu-img.js';
import { savedDisks } from './disk-layers.js';
import { requireDisk } from './require-disk.js';

type DiskSpec = z.output<(typeof qemuDisk)['spec']>;

export interface DisksHandle extends JsonObject {
  readonly folder: string;
  readonly disks: Disk[];
  /** What the machine starts from: the base's path, empty for an empty disk. */
  readonly base: string;
}

/** The artifacts that are disks by themselves. */
const diskArtifacts = ['qemu.image', 'files'];

/** The disks of a machine that is being built, next to where the image will be: there a rename is no copy. */
export const diskHandler: ResourceHandler<DiskSpec, DisksHandle> = {
  check: (spec, ctx) => checkBase(spec, ctx),
  checkKnown: (known, ctx) => checkBase(known, ctx),

  async acquire(spec, ctx) {
    const folder = await makeWorkFolder(spec.output, ctx);
    const bases = pathsOf(spec.base, ctx);
    const path = (index: number) => diskPath(folder, index);
    const disks: Disk[] = bases.length === 0 ? [await emptyDisk(path(0), spec.size ?? 0, spec, ctx)] : [];
    for (const [index, base] of bases.entries()) disks.push(await diskOn(base, path(index), index === 0 ? spec : { ...spec, size: undefined }, ctx));
    for (const size of spec.additional ?? []) disks.push(await emptyDisk(path(disks.length), size, spec, ctx));
    return { folder, disks, base: bases[0] ?? '' };
  },

  async find(_token, spec, ctx) {
    const folder = workFolder(spec.output, ctx);
    return await stat(folder).then(() => true, () => false) ? { folder, disks: [], base: '' } : undefined;
  },

  reads: ({ base }, ctx) => Promise.resolve(typeof base === 'string' ? { files: [resolve(ctx.run.project, base)] } : {}),

  // What is on the disks is saved together with the machine's memory, at the same moment.
  checkpoint: {
    save: ({ base }) => Promise.resolve({ base }),
    async restore(from, spec, ctx) {
      const folder = await makeWorkFolder(spec.output, ctx);
      const disks: Disk[] = [];
      for (const layer of await savedDisks(from.folder)) disks.push(await overlayOn(layer.file, layer.format, `${diskPath(folder, disks.length)}.qcow2`, ctx));
      return { folder, disks, base: from.saved['base'] as string };
    },
  },

  async release({ folder }) {
    await rm(folder, { recursive: true, force: true });
  },
};

async function makeWorkFolder(output: string, ctx: StepContext): Promise<string> {
  const folder = workFolder(output, ctx);
  await rm(folder, { recursive: true, force: true });
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw asDiskError(error, folder);
  }
  return folder;
}

function diskPath(folder: string, index: number): string {
  return join(folder, index === 0 ? 'disk' : `disk-${index}`);
}

/** Its name carries the token: nobody else's is removed. */
function workFolder(output: string, ctx: StepContext): string {
  const path = resolve(ctx.run.project, output);
  return join(dirname(path), `.${basename(path)}.${ctx.token}.work`);
}

async function checkBase({ base, baseFormat }: Partial<DiskSpec>, ctx: StepContext): Promise<void> {
  if (typeof base !== 'string') return;
  const path = resolve(ctx.run.project, base);
  if (!(await stat(path).then((facts) => facts.isFile(), () => false))) {
    throw new BakeError({ code: 'FileNotFound', message: `there is no disk ${base}`, hint: `looked for ${path}; a relative path starts at the folder of image.ts` });
  }
  const facts = await diskFacts(path, baseFormat, ctx);
  await requireDisk(path, facts.format, baseFormat);
  refuseOtherFiles(path, facts, base);
}

/** An artifact may have several disks: the machine gets them all. */
function pathsOf(base: DiskSpec['base'], ctx: StepContext): readonly string[] {
  if (base === undefined) return [];
  return typeof base === 'string' ? [resolve(ctx.run.project, base)] : disksOf(base);
}

/** @throws BakeError `WrongArtifact` */
function disksOf(artifact: Artifact): readonly string[] {
  const disks = artifact.files.filter(({ role = 'disk' }) => role === 'disk');
  if (diskArtifacts.includes(artifact.type) && disks.length > 0) return disks.map(({ path }) => path);
  throw new BakeError({ code: 'WrongArtifact', message: `an artifact of type ${artifact.type} is no disk`, hint: artifact.type.startsWith('rootfs.') ? 'give it as "rootfs", which makes a bootable disk of it' : 'give the artifact of a QemuSource' });
}

async function emptyDisk(path: string, size: number, { format, createOptions }: DiskSpec, ctx: StepContext): Promise<Disk> {
  const file = `${path}.${format === 'raw' ? 'raw' : 'qcow2'}`;
  // Formats other than these two are made at the end: they are slow to write to, or cannot.
  const working = format === 'raw' ? 'raw' : 'qcow2';
  await qemuImg(['create', '-q', '-f', working, ...optionsOf(working === format ? createOptions : undefined), file, String(size)], ctx);
  return { file, format: working };
}

async function diskOn(base: string, path: string, spec: DiskSpec, ctx: StepContext): Promise<Disk> {
  const facts = await diskFacts(base, spec.baseFormat, ctx);
  await requireDisk(base, facts.format, spec.baseFormat);
  refuseOtherFiles(base, facts, spec.base);
  if (spec.size !== undefined && spec.size < facts.virtualSize) {
    throw new BakeError({ code: 'DiskTooSmall', message: `"diskSize" is ${spec.size} bytes, and the base ${base} has ${facts.virtualSize}`, hint: 'a disk cannot be made smaller; leave diskSize out, or give a larger one' });
  }
  if (spec.mode === 'own') return { file: base, format: facts.format };
  const made = spec.mode === 'overlay' ? await overlayOn(base, facts.format, `${path}.qcow2`, ctx) : await copyOf(base, facts.format, path, spec, ctx);
  if (spec.size !== undefined && spec.size > facts.virtualSize) await qemuImg(['resize', '-q', '-f', made.format, made.file, String(spec.size)], ctx);
  return made;
}

/** A base that is from outside may name any file of this computer as its own base or content, and the guest would read it. */
function refuseOtherFiles(base: string, { backingFile, contentFiles = [] }: DiskFacts, given: DiskSpec['base']): void {
  if (typeof given !== 'string') return;
  const flatten = `flatten it first: qemu-img convert -O qcow2 ${base} flat.qcow2`;
  if (backingFile !== undefined) throw new BakeError({ code: 'BaseHasBackingFile', message: `the disk ${base} is an overlay on ${backingFile}`, hint: flatten });
  // A vmdk in several files has them side by side.
  const elsewhere = contentFiles.find((file) => dirname(resolve(file)) !== dirname(base));
  if (elsewhere !== undefined) throw new BakeError({ code: 'BaseHasOtherFiles', message: `the disk ${base} has its content in ${elsewhere}`, hint: `if you trust it, ${flatten}` });
}

async function overlayOn(base: string, format: string, file: string, ctx: StepContext): Promise<Disk> {
  await qemuImg(['create', '-q', '-f', 'qcow2', '-F', format, '-b', base, file], ctx);
  return { file, format: 'qcow2' };
}

/** A clone where the file system can; it costs nothing and shares what does not change. */
async function copyOf(base: string, from: string, path: string, { format, createOptions }: DiskSpec, ctx: StepContext): Promise<Disk> {
  const working = format === 'raw' ? 'raw' : 'qcow2';
  const file = `${path}.${working}`;
  if (from === working) {
    try {
      await copyFile(base, file, constants.COPYFILE_FICLONE_FORCE);
      return { file, format: working };
    } catch { /* it cannot; then a copy without the holes is better than one with */ }
  }
  await convert({ from: { file: base, format: from }, to: { file, format: working }, ...(working === format && createOptions !== undefined ? { options: createOptions } : {}) }, 'copying the base', ctx);
  return { file, format: working };
}

function optionsOf(options: Readonly<Record<string, string>> | undefined): readonly string[] {
  const list = Object.entries(options ?? {}).map(([key, value]) => `${key}=${value.replaceAll(',', ',,')}`);
  return list.length === 0 ? [] : ['-o', list.join(',')];
}
