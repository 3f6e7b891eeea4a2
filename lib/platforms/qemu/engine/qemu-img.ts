import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { BakeError } from '../../../core/bake-error.js';
import type { JsonObject } from '../../../core/json.js';
import type { StepContext } from '../../../engine/handler.js';

export interface DiskFacts {
  readonly format: string;
  /** Bytes that the guest sees. */
  readonly virtualSize: number;
  /** The file that this one is written over. */
  readonly backingFile?: string;
  /** Other files that have its content: the data file of a qcow2, the extents of a vmdk. Absent if there are none. */
  readonly contentFiles?: readonly string[];
}

/** @throws BakeError `NotADisk`, `DiskInUse`, `CommandNotFound`, `DiskFull`, `QemuImgFailed` */
export async function qemuImg(args: readonly string[], ctx: Pick<StepContext, 'exec' | 'signal'>, onStdout?: (line: string) => void): Promise<string> {
  let text = '';
  try {
    const { code, stdout, stderr } = await ctx.exec.run({ command: 'qemu-img', args, signal: ctx.signal, ...(onStdout === undefined ? {} : { onStdout }), env: { LC_ALL: 'C.UTF-8' } });
    if (code === 0) return stdout;
    text = stderr.trim();
  } catch (error) {
    if (!BakeError.is(error) || error.code !== 'CommandNotFound') throw error;
    throw new BakeError({ code: 'CommandNotFound', message: 'the program qemu-img is not on this machine', hint: 'apt-get install qemu-utils, brew install qemu, or "bake setup --optional"', cause: error });
  }
  if (/Failed to get (shared )?"\w+" lock/i.test(text)) throw new BakeError({ code: 'DiskInUse', source: 'platform', message: `another program is writing to the disk: ${text.replace(/^qemu-img: /, '')}`, hint: 'switch the virtual machine off that has it, or give a copy' });
  if (/No space left on device/i.test(text)) throw new BakeError({ code: 'DiskFull', source: 'platform', message: `this machine's disk is full: ${text}`, hint: 'free some space, or give an output path on another disk' });
  throw new BakeError({ code: 'QemuImgFailed', source: 'platform', message: `qemu-img ${args[0]} failed: ${text.replace(/^qemu-img: /, '')}` });
}

/** What a file is. Its format is read from its content, unless told. */
export async function diskFacts(file: string, format: string | undefined, ctx: Pick<StepContext, 'exec' | 'signal'>): Promise<DiskFacts> {
  const lines: string[] = [];
  // Its text may be longer than what is kept of an output.
  await qemuImg(['info', '--output=json', ...(format === undefined ? [] : ['-f', format]), file], ctx, (line) => lines.push(line)).catch((error: unknown) => {
    throw BakeError.is(error) && error.code === 'QemuImgFailed' ? new BakeError({ code: 'NotADisk', message: `${file} is no disk image: ${error.message}`, hint: 'give a qcow2, raw, vmdk, vdi or vhdx file', cause: error }) : error;
  });
  const info = JSON.parse(lines.join('\n')) as JsonObject;
  const backingFile = info['full-backing-filename'] ?? info['backing-filename'];
  const contentFiles = contentFilesOf(info).filter((name) => resolve(name) !== resolve(file));
  return { format: info['format'] as string, virtualSize: info['virtual-size'] as number, ...(typeof backingFile === 'string' ? { backingFile } : {}), ...(contentFiles.length === 0 ? {} : { contentFiles }) };
}

function contentFilesOf(info: JsonObject): readonly string[] {
  const { data } = (info['format-specific'] ?? {}) as { readonly data?: { readonly 'data-file'?: string; readonly extents?: readonly { readonly filename?: string }[] } };
  return [data?.['data-file'], ...(data?.extents ?? []).map(({ filename }) => filename)].filter((name) => name !== undefined);
}

export interface ConvertOptions {
  readonly from: { readonly file: string; readonly format: string };
  readonly to: { readonly file: string; readonly format: string };
  /** What stays a difference to this is left out. */
  readonly backing?: { readonly file: string; readonly format: string };
  readonly compression?: 'none' | 'zlib' | 'zstd';
  readonly options?: Readonly<Record<string, string>>;
}

/** Writes a disk anew, without what is empty, with all cores. */
export async function convert({ from, to, backing, compression = 'none', options = {} }: ConvertOptions, label: string, ctx: StepContext): Promise<void> {
  const all: Record<string, string> = { ...(compression !== 'none' && to.format === 'qcow2' ? { compression_type: compression } : {}), ...options };
  const list = Object.entries(all).map(([key, value]) => `${key}=${value.replaceAll(',', ',,')}`).join(',');
  let current = 0;
  await qemuImg([
    'convert', '-p', '-m', String(Math.min(16, Math.max(2, availableParallelism() * 2))), '-W', '-T', 'none',
    '-f', from.format, '-O', to.format, ...(compression === 'none' ? [] : ['-c']), ...(backing === undefined ? [] : ['-B', backing.file, '-F', backing.format]), ...(list === '' ? [] : ['-o', list]), from.file, to.file,
  ], ctx, (line) => {
    const percent = Number(/\(([\d.]+)\/100%\)\s*$/.exec(line)?.[1]);
    if (percent > current) ctx.progress({ label, current: current = percent, total: 100, unit: 'items' });
  });
}
