import { BakeError } from '../../../core/bake-error.js';
import type { ChrootConnection } from '../connection.js';

/** The error of working on a machine whose first process has ended. */
export function machineGone({ root }: ChrootConnection, cause?: unknown): BakeError {
  return new BakeError({ code: 'ConnectionLost', source: 'platform', message: `the namespaces of ${root} are gone`, hint: 'something ended their first process: see whether the computer ran out of memory', transient: true, cause });
}
