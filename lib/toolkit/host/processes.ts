import { readdir, readFile } from 'node:fs/promises';
import type { Clock, Exec } from '../../core/ports.js';
import type { ProcessIdentity } from '../../engine/run-store.js';
import { stampVariable } from './exec.js';

/** This process, told from a later one with the same number. */
export async function ownIdentity(exec: Exec): Promise<ProcessIdentity> {
  return { pid: process.pid, start: (await startOf(process.pid, exec)) ?? '' };
}

export async function isAlive({ pid, start }: ProcessIdentity, exec: Exec): Promise<boolean> {
  return (await startOf(pid, exec)) === start;
}

/** When a process started, in whatever form the system tells it; undefined if there is none. */
async function startOf(pid: number, exec: Exec): Promise<string | undefined> {
  if (process.platform === 'linux') return (await statOf(pid))?.start;
  if (process.platform === 'win32') {
    const { stdout } = await exec.run({ command: 'powershell', args: ['-NoProfile', '-Command', `(Get-Process -Id ${pid} -ErrorAction SilentlyContinue).StartTime.Ticks`] });
    return stdout.trim() || undefined;
  }
  const { stdout } = await exec.run({ command: 'ps', args: ['-o', 'lstart=', '-p', String(pid)] });
  return stdout.trim() || undefined;
}

async function statOf(pid: number): Promise<{ readonly start: string; readonly isZombie: boolean } | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may have anything in it; the fields after it do not.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { start: fields[19] ?? '', isZombie: fields[0] === 'Z' };
  } catch {
    return undefined;
  }
}

/**
 * Ends all processes that carry the stamp of a run, and waits until they are gone. Linux only: elsewhere the environment
 * of a process cannot be read, and what a killed run started ends by itself.
 */
export async function endStampedProcesses(stamp: string, clock: Clock): Promise<number> {
  let ended = 0;
  for (let delay = 10; ; delay = Math.min(delay * 2, 500)) {
    const found = await stampedProcesses(stamp);
    if (found.length === 0) return ended;
    for (const pid of found) {
      try {
        process.kill(pid, 'SIGKILL');
        ended++;
      } catch { /* it ended by itself */ }
    }
    await clock.sleep(delay);
  }
}

async function stampedProcesses(stamp: string): Promise<readonly number[]> {
  if (process.platform !== 'linux') return [];
  const mark = `${stampVariable}=${stamp}\0`;
  const found = await Promise.all((await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(process.pid)).map(async (name) => {
    const environment = await readFile(`/proc/${name}/environ`, 'latin1').catch(() => '');
    if (!`\0${environment}`.includes(`\0${mark}`)) return undefined;
    return (await statOf(Number(name)))?.isZombie === false ? Number(name) : undefined;
  }));
  return found.filter((pid) => pid !== undefined);
}
