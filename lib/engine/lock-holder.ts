import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import * as z from 'zod';

export const lockHolderSchema = z.object({ pid: z.number().int().positive(), start: z.string(), host: z.string() });

/** A process that holds something, told from a later one with the same id, and from one of another computer. */
export type LockHolder = z.output<typeof lockHolderSchema>;

export async function ownLockHolder(): Promise<LockHolder> {
  return { pid: process.pid, start: await startOf(process.pid) ?? '', host: hostname() };
}

export function isOfThisHost({ host }: LockHolder): boolean {
  return host === hostname();
}

/** Of this computer's processes only. */
export async function isHolderAlive({ pid, start }: LockHolder): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = await startOf(pid);
  return now === undefined || start === '' || now === start;
}

/** What tells a process from a later one with the same id; undefined where there is no /proc. */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
