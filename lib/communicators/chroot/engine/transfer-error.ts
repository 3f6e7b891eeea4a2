import { BakeError } from '../../../core/bake-error.js';
import type { ExecResult } from '../../../core/ports.js';
import type { Inside } from './chroot-communicator.js';
import { machineGone } from './machine-gone.js';

/** What a program inside the machine failed with. */
export async function insideFailure(inside: Inside, { code, signal, stderr }: ExecResult): Promise<Error> {
  if (!(await inside.isAlive())) return machineGone(inside.machine);
  return new Error(stderr.trim().split('\n').at(-1) || `ended with ${signal ?? code}`);
}

/** Runs a transfer; whatever goes wrong becomes one of the communicator's own errors, and an abort its reason. */
export async function transferring(code: 'UploadFailed' | 'DownloadFailed', path: string, signal: AbortSignal | undefined, transfer: () => Promise<void>): Promise<void> {
  signal?.throwIfAborted();
  try {
    await transfer();
  } catch (error) {
    signal?.throwIfAborted();
    if (BakeError.is(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    const hint = /No space left|ENOSPC/.test(reason) ? 'make room on the disk that holds the project' : 'see whether the path is right, its folder exists and may be written to';
    throw new BakeError({ code, message: `could not copy ${path}: ${reason}`, hint, cause: error });
  }
}
