import { BakeError } from '../../../../core/bake-error.js';
import { diskFull } from '../../../../core/disk-error.js';
import type { ExecResult } from '../../../../core/ports.js';

/** The error of a program that ran and failed; a full disk has its own, whatever the program was. */
export function commandFailure(result: ExecResult, options: { readonly code: string; readonly what: string; readonly hint?: string; readonly where: string }): BakeError {
  const output = result.stderr.trim().split('\n').filter((line) => line !== '').slice(-20);
  if (isDiskFull(result.stderr)) return diskFull(options.where, 'ENOSPC').with({ output });
  const reason = output.find((line) => !/Exiting with failure|^Try /.test(line)) ?? `it ended with ${result.signal ?? result.code}`;
  return new BakeError({ code: options.code, source: 'platform', message: `${options.what}: ${reason}`, ...(options.hint === undefined ? {} : { hint: options.hint }), output });
}

export function isDiskFull(text: string): boolean {
  return /No space left on device|ENOSPC|Disk quota exceeded|don't have enough free space/.test(text);
}
