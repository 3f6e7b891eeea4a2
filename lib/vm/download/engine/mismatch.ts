import { BakeError } from '../../../core/bake-error.js';
import type { Sum } from '../checksum.js';
import type { Location } from '../location.js';
import type { Sums } from './file-sums.js';

/** Whether these sums are those of the right file; without an expectation all are. */
export function isRight(sums: Sums, expected: Sum | undefined): boolean {
  return expected === undefined || sums[expected.algorithm] === expected.hex;
}

/** The error of a file that is not the right one. */
export function checksumMismatch({ type, shown }: Location, sums: Sums, { algorithm, hex }: Sum): BakeError {
  return new BakeError({
    code: 'ChecksumMismatch',
    message: `${shown} has the wrong ${algorithm}: expected ${hex}, got ${sums[algorithm] ?? 'none'}`,
    hint: type === 'file'
      ? 'give the checksum of this file, or the right file; it is left as it was'
      : 'compare both with what its publisher says: a newer version has another checksum; what was downloaded is gone',
  });
}
