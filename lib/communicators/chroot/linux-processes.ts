import { readdir, readFile, readlink } from 'node:fs/promises';
import type { Clock } from '../../core/ports.js';

/** A process of this computer, as `/proc` tells of it. */
export interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  /** In clock ticks since boot: with the process id it names a process for good. */
  readonly start: string;
  /** It is on its way out: it runs no code of its own any more, but may still wait for others of its namespace. */
  readonly isExiting: boolean;
}

/** Flag of a process that has begun to exit; `include/linux/sched.h`. */
const exiting = 0x4;

/** A living process; undefined if there is none or it is only waiting to be reaped. */
export async function processFacts(pid: number): Promise<ProcessFacts | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
  if (text === undefined) return undefined;
  // The name in parentheses may have anything in it; the fields after it do not.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return { pid, parent: Number(fields[1]), start: fields[19] ?? '', isExiting: (Number(fields[6]) & exiting) !== 0 };
}

/** All living processes that may be looked at, this one left out. */
export async function allProcesses(): Promise<readonly ProcessFacts[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => pid !== process.pid);
  return (await Promise.all(pids.map(processFacts))).filter((facts) => facts !== undefined);
}

/** The value of a variable in the environment that a process started with. */
export async function environmentOf(pid: number, variable: string): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  const entry = text.split('\0').find((line) => line.startsWith(`${variable}=`));
  return entry?.slice(variable.length + 1);
}

/** Processes that started with `variable=value` in their environment. */
export async function markedProcesses(variable: string, value: string): Promise<readonly ProcessFacts[]> {
  const all = await allProcesses();
  const values = await Promise.all(all.map(({ pid }) => environmentOf(pid, variable)));
  return all.filter((_, index) => values[index] === value);
}

/** Processes in the same process-id namespace as `pid`, itself included. */
export async function namespaceMembers(pid: number): Promise<readonly ProcessFacts[]> {
  const space = await namespaceOf(pid);
  if (space === undefined) return [];
  const all = await allProcesses();
  const spaces = await Promise.all(all.map((facts) => namespaceOf(facts.pid)));
  return all.filter((_, index) => spaces[index] === space);
}

function namespaceOf(pid: number): Promise<string | undefined> {
  return readlink(`/proc/${pid}/ns/pid`).catch(() => undefined);
}

/** Sends a signal; a process that is gone is no error. */
export function signalProcesses(processes: readonly ProcessFacts[], signal: NodeJS.Signals): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/**
 * Ends what `find` finds, and waits until all of it is gone: KILL at once, or TERM first with `patience` milliseconds to
 * listen to it. What was found once is waited for even if `find` does not know it any more, because a process loses its
 * environment before it is gone.
 */
export async function endProcesses(find: () => Promise<readonly ProcessFacts[]>, clock: Clock, patience = 0): Promise<void> {
  const killAt = clock.now() + patience;
  const seen = new Map<string, ProcessFacts>();
  for (let delay = 5; ; delay = Math.min(delay * 2, 100)) {
    const known = new Set(seen.keys());
    for (const facts of await find()) seen.set(`${facts.pid} ${facts.start}`, facts);
    for (const [key, { pid, start }] of seen) if ((await processFacts(pid))?.start !== start) seen.delete(key);
    if (seen.size === 0) return;
    if (clock.now() >= killAt) signalProcesses([...seen.values()], 'SIGKILL');
    else signalProcesses([...seen].filter(([key]) => !known.has(key)).map(([, facts]) => facts), 'SIGTERM');
    await clock.sleep(delay);
  }
}
