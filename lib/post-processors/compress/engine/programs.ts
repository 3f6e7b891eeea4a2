import * as zlib from 'node:zlib';
import { BakeError } from '../../../core/bake-error.js';
import type { Exec } from '../../../core/ports.js';
import { levels } from '../format.js';

/** A codec that a program of this machine does. */
export type ProgramCodec = 'zst' | 'xz' | 'lz4';

interface Program {
  readonly command: string;
  /** Debian's package. */
  readonly package: string;
  /** Compress standard input to standard output, or to the file that `intoFile` names. `size`: the input's bytes, if known. */
  readonly args: (level: number, size: number | undefined) => readonly string[];
  /** Of a program that says so when the disk is full; the bytes need not come back through us, which takes a tenth of zstd's own time. */
  readonly intoFile?: (path: string) => readonly string[];
}

export const programs: Readonly<Record<ProgramCodec, Program>> = {
  zst: {
    command: 'zstd', package: 'zstd',
    intoFile: (path) => ['-f', '-o', path],
    args: (level, size) => ['-q', '-T0', ...(level > 19 ? ['--ultra'] : []), `-${level}`, ...(size === undefined ? [] : [`--stream-size=${size}`])],
  },
  xz: { command: 'xz', package: 'xz-utils', args: (level) => ['-q', '-c', '-z', '-T0', `-${level}`] },
  lz4: { command: 'lz4', package: 'lz4', args: (level) => ['-q', '-c', '-z', `-${level}`] },
};

/** Node's own zstd, since 22.15. */
export const builtInZstd = (zlib as { createZstdCompress?: (options: { params: Record<number, number> }) => NodeJS.ReadWriteStream }).createZstdCompress;

/** What does the work of a codec on this machine. */
export type Tool = Program | 'built-in';

/** @throws BakeError `MissingProgram` with the command that installs it */
export async function findTool(codec: ProgramCodec, exec: Exec, signal: AbortSignal): Promise<Tool> {
  const program = programs[codec];
  if (await isThere(program, exec, signal)) return program;
  if (codec === 'zst' && builtInZstd !== undefined) return 'built-in';
  throw new BakeError({
    code: 'MissingProgram',
    message: `${codec} needs the program "${program.command}", which is not on this machine`,
    hint: `install it (Debian, Ubuntu: apt-get install -y ${program.package}), or choose another format, such as gz`,
  });
}

/** A stream of Node's own that compresses; of zstd only. */
export function builtInStream(level: number): NodeJS.ReadWriteStream {
  const { ZSTD_c_compressionLevel = 100 } = zlib.constants as { ZSTD_c_compressionLevel?: number };
  return builtInZstd!({ params: { [ZSTD_c_compressionLevel]: Math.min(level, levels.zst.max) } });
}

async function isThere({ command }: Program, exec: Exec, signal: AbortSignal): Promise<boolean> {
  try {
    return (await exec.run({ command, args: ['--version'], signal })).code === 0;
  } catch (error) {
    signal.throwIfAborted();
    if (BakeError.is(error) && error.code === 'CommandNotFound') return false;
    throw error;
  }
}
