import { BakeError } from '../../../core/bake-error.js';
import type { RemoteResult } from '../../../core/communicator.js';
import { connectionLost } from './channels.js';

/** Ends a transfer that did not work out; what is a `BakeError` or an abort already passes through. */
export function transferFailed(code: 'UploadFailed' | 'DownloadFailed', path: string, reason: string, cause?: unknown): BakeError {
  const verb = code === 'UploadFailed' ? 'write' : 'read';
  return new BakeError({
    code, message: `could not ${verb} ${path}: ${reason}`,
    hint: code === 'UploadFailed' ? 'see whether the folder exists, the user may write to it and the disk has room' : 'see whether the path is right and the user may read it',
    ...(cause === undefined ? {} : { cause }),
  });
}

/** @throws BakeError `ConnectionLost`, or `code` with what the command printed, unless it succeeded */
export function assertSucceeded(result: RemoteResult, code: 'UploadFailed' | 'DownloadFailed', path: string, printed: readonly string[]): void {
  if (result.disconnected) throw connectionLost();
  if (result.code !== 0) throw transferFailed(code, path, printed.slice(-3).join('; ') || `the machine's command ended with ${result.code ?? result.signal}`);
}
