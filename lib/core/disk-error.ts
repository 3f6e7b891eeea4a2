import { BakeError } from './bake-error.js';

const full = new Set(['ENOSPC', 'EDQUOT']);
const forbidden = new Set(['EACCES', 'EPERM', 'EROFS']);

/**
 * What a failed write means to the user: `DiskFull` or `NotWritable` with the path. Any other error comes back as it
 * is, so that it can be used as `throw asDiskError(error, path)`.
 */
export function asDiskError(error: unknown, path: string): unknown {
  const code = error instanceof Error && !BakeError.is(error) ? (error as NodeJS.ErrnoException).code : undefined;
  if (code === undefined) return error;
  if (full.has(code)) return diskFull(path, code, error);
  if (!forbidden.has(code)) return error;
  return new BakeError({
    code: 'NotWritable',
    message: `${path} cannot be written (${code})`,
    hint: code === 'EROFS' ? 'its file system is mounted read-only: choose another output' : 'choose another output, or give yourself the right to write there',
    cause: error,
  });
}

/** The error of a full disk, also for programs that only say so in words. */
export function diskFull(path: string, reason: string, cause?: unknown): BakeError {
  return new BakeError({
    code: 'DiskFull',
    message: `there is no space left to write ${path} (${reason})`,
    source: 'platform',
    hint: 'make room on that disk, or choose an output on another one',
    ...(cause === undefined ? {} : { cause }),
  });
}
