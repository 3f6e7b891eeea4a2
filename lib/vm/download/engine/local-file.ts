import { stat } from 'node:fs/promises';
import { BakeError } from '../../../core/bake-error.js';
import type { StepContext } from '../../../engine/handler.js';
import type { Algorithm, Sum } from '../checksum.js';
import type { Location } from '../location.js';
import type { FileSums, Sums } from './file-sums.js';
import { checksumMismatch, isRight } from './mismatch.js';

/**
 * Verifies a file of the user's where it is. Nothing is ever done to it.
 * @throws BakeError `FileNotFound`, `NotAFile`, `NotReadable`, `ChecksumMismatch`, `FileChanged`
 */
export async function verifiedFile(location: Location, path: string, sum: Sum | undefined, fileSums: FileSums, ctx: StepContext): Promise<Sums> {
  const algorithms: readonly Algorithm[] = [...new Set<Algorithm>(['sha256', sum?.algorithm ?? 'sha256'])];
  const info = await stat(path).catch((error: unknown) => { throw unreadable(error, path); });
  if (!info.isFile()) throw new BakeError({ code: 'NotAFile', message: `${path} is ${info.isDirectory() ? 'a folder' : 'not a regular file'}`, hint: 'give the path of a file' });
  const sums = await fileSums.of(path, algorithms, ctx).catch((error: unknown) => { throw unreadable(error, path); });
  if (sum !== undefined && !isRight(sums, sum)) throw checksumMismatch(location, sums, sum);
  return sums;
}

/** What it means that a file of the user's cannot be read; any other error comes back as it is. */
export function unreadable(error: unknown, path: string): unknown {
  const code = error instanceof Error && !BakeError.is(error) ? (error as NodeJS.ErrnoException).code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') return new BakeError({ code: 'FileNotFound', message: `there is no file ${path}`, hint: 'relative paths start at the folder of image.ts' });
  if (code === 'EACCES' || code === 'EPERM') return new BakeError({ code: 'NotReadable', message: `${path} cannot be read (${code})`, hint: 'give yourself the right to read it' });
  if (code === 'EISDIR') return new BakeError({ code: 'NotAFile', message: `${path} is a folder`, hint: 'give the path of a file' });
  return error;
}
