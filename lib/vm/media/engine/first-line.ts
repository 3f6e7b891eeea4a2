import { BakeError } from '../../../core/bake-error.js';
import type { Exec, ExecRequest } from '../../../core/ports.js';

/** What a program says of itself; undefined if there is no such program. */
export async function firstLine(exec: Exec, request: ExecRequest): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await exec.run(request);
    return `${stdout}\n${stderr}`.split('\n').find((line) => line.trim() !== '')?.trim() ?? '';
  } catch (error) {
    if (BakeError.is(error) && error.code === 'CommandNotFound') return undefined;
    throw error;
  }
}
