import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BakeError } from '../../../core/bake-error.js';
import type { Exec } from '../../../core/ports.js';
import type { StepContext } from '../../../engine/handler.js';
import type { DiskSnapshotSpec } from '../import-steps.js';

type Format = NonNullable<DiskSnapshotSpec['format']>;
type Running = Pick<StepContext, 'exec' | 'signal'>;

/** Bytes of a disk that are not known to be empty. */
export interface Extent {
  /** Where a machine sees them. */
  readonly start: number;
  readonly length: number;
  /** Where they are in the file. */
  readonly offset: number;
}

/** A disk whose content can be read from a file as it is. */
export interface OpenDisk {
  readonly file: string;
  /** Bytes that a machine sees. */
  readonly size: number;
  /** From first to last. */
  readonly extents: readonly Extent[];
  /** Removes what was written for it. */
  close(): Promise<void>;
}

/** What a file is. */
export interface DiskFile {
  readonly file: string;
  readonly format: Format;
}

interface MapEntry {
  readonly start: number;
  readonly length: number;
  readonly depth: number;
  readonly zero: boolean;
  readonly data: boolean;
  readonly offset?: number;
}

interface Info {
  readonly 'virtual-size': number;
  readonly 'backing-filename'?: string;
  readonly 'encrypted'?: boolean;
  readonly 'format-specific'?: { readonly data?: { readonly 'data-file'?: string; readonly 'encrypt'?: unknown } };
}

const endings: Readonly<Record<string, Format>> = { qcow2: 'qcow2', vmdk: 'vmdk', vdi: 'vdi', vhdx: 'vhdx', vhd: 'vpc', vpc: 'vpc' };
const archives = /\.(gz|tgz|zst|xz|lz4|zip|tar|bz2)$/i;

/**
 * The first disk of an artifact.
 * @throws BakeError `NotADisk`
 */
export function diskOf({ artifact, format: wished }: Pick<DiskSnapshotSpec, 'artifact' | 'format'>, warn: StepContext['warn']): DiskFile {
  const disks = artifact.files.filter(({ role }) => role === undefined || role === 'disk');
  const [first] = disks;
  if (first === undefined) throw new BakeError({ code: 'NotADisk', message: `"${artifact.title}" (${artifact.type}) has no file that is a disk`, hint: 'let Ec2Import work on what a QemuSource made, or on a post-processor that makes a disk' });
  const told = wished ?? formatNamed(first['format']) ?? formatNamed(artifact.data['format']);
  if (told === undefined && (archives.test(first.path) || artifact.type.startsWith('rootfs.') || artifact.type.startsWith('docker.'))) {
    throw new BakeError({ code: 'NotADisk', message: `${first.path} is no disk (${artifact.type})`, hint: 'let Ec2Import work on the disk before it is compressed: give it another "input", or none' });
  }
  if (disks.filter(({ role }) => role === 'disk').length > 1) warn({ code: 'DisksLeftOut', message: `the artifact has ${disks.length} disks, and the image gets the first: ${first.path}`, hint: 'the others can be made into images of their own' });
  return { file: first.path, format: told ?? endings[/\.([a-z0-9]+)$/i.exec(first.path)?.[1]?.toLowerCase() ?? ''] ?? 'raw' };
}

function formatNamed(name: unknown): Format | undefined {
  return typeof name === 'string' && (name === 'raw' || Object.values(endings).includes(name as Format)) ? name as Format : undefined;
}

/**
 * Finds out where a disk's content is. Where it is not in the file as a machine sees it, because it is compressed or over several files, it is
 * written to `tmp` without what is empty.
 * @throws BakeError `NotADisk`, `CommandNotFound`
 */
export async function openDisk(disk: DiskFile, tmp: string, ctx: StepContext): Promise<OpenDisk> {
  try {
    const info = JSON.parse(await qemuImg(['info', '--output=json', '-f', disk.format, disk.file], ctx)) as Info;
    const extents = isPlain(disk, info) ? extentsOf(await mapOf(disk, ctx)) : undefined;
    const size = info['virtual-size'];
    if (extents !== undefined) return { file: disk.file, size, extents, close: async () => {} };
    const whole: DiskFile = { file: join(tmp, 'disk.raw'), format: 'raw' };
    await convert(disk, whole, [], tmp, ctx);
    return { file: whole.file, size, extents: extentsOf(await mapOf(whole, ctx)) ?? everything(size), close: () => rm(whole.file, { force: true }) };
  } catch (error) {
    if (!BakeError.is(error) || error.code !== 'CommandNotFound' || disk.format !== 'raw') throw error;
    const { size } = await stat(disk.file); // without the program, what is empty must be read to be known
    return { file: disk.file, size, extents: everything(size), close: async () => {} };
  }
}

/** Bytes that a machine sees. @throws BakeError `NotADisk`, `CommandNotFound` */
export async function diskSize({ file, format }: DiskFile, ctx: Running): Promise<number> {
  if (format === 'raw') return (await stat(file)).size; // which needs no program
  return (JSON.parse(await qemuImg(['info', '--output=json', '-f', format, file], ctx)) as Info)['virtual-size'];
}

/** Whether what the map says of places is of this one file, and as it is. */
function isPlain({ format }: DiskFile, info: Info): boolean {
  if (format === 'raw') return true;
  const { 'data-file': dataFile, encrypt } = info['format-specific']?.data ?? {};
  return format === 'qcow2' && info['backing-filename'] === undefined && dataFile === undefined && encrypt === undefined && info.encrypted !== true;
}

async function mapOf({ file, format }: DiskFile, ctx: Running): Promise<readonly MapEntry[]> {
  return JSON.parse(await qemuImg(['map', '--output=json', '-f', format, file], ctx)) as readonly MapEntry[];
}

/** Undefined if one is nowhere in the file. */
function extentsOf(map: readonly MapEntry[]): readonly Extent[] | undefined {
  const used = map.filter(({ data, zero }) => data && !zero);
  if (used.some(({ offset, depth }) => offset === undefined || depth !== 0)) return undefined;
  return used.map(({ start, length, offset = 0 }) => ({ start, length, offset }));
}

function everything(size: number): readonly Extent[] {
  return [{ start: 0, length: size, offset: 0 }];
}

/** Writes a disk in another format, without what is empty. */
export async function convert(from: DiskFile, to: { readonly file: string; readonly format: string }, options: readonly string[], tmp: string, ctx: StepContext): Promise<void> {
  await mkdir(tmp, { recursive: true });
  let current = 0;
  await qemuImg(['convert', '-p', '-f', from.format, '-O', to.format, ...options, from.file, to.file], ctx, (line) => {
    const percent = Number(/\(([\d.]+)\/100%\)\s*$/.exec(line)?.[1]);
    if (percent > current) ctx.progress({ label: 'converting the disk', current: current = percent, total: 100, unit: 'items' });
  });
}

/** @returns what it printed, of any length. @throws BakeError `CommandNotFound`, `NotADisk` */
async function qemuImg(args: readonly string[], { exec, signal }: { readonly exec: Exec; readonly signal: AbortSignal }, onLine?: (line: string) => void): Promise<string> {
  const lines: string[] = [];
  const { code, stderr } = await exec.run({ command: 'qemu-img', args, signal, env: { LC_ALL: 'C.UTF-8' }, onStdout: onLine ?? ((line) => lines.push(line)) }).catch((error: unknown) => {
    if (!BakeError.is(error) || error.code !== 'CommandNotFound') throw error;
    throw new BakeError({ code: 'CommandNotFound', message: 'the program qemu-img is not on this machine', hint: 'apt-get install qemu-utils, brew install qemu, or give a raw disk, which needs no other program', cause: error });
  });
  if (code === 0) return lines.join('\n');
  const text = stderr.trim().replace(/^qemu-img: /, '');
  if (/No space left on device/i.test(text)) throw new BakeError({ code: 'DiskFull', source: 'platform', message: `this machine's disk is full: ${text}`, hint: 'free some space: the disk is written out before it is sent; raw and uncompressed qcow2 disks are not' });
  throw new BakeError({ code: 'NotADisk', message: `qemu-img cannot read the disk: ${text}`, hint: 'give "format", if it is another one than its name says' });
}
