import { readdir, readFile, readlink } from 'node:fs/promises';
import type { Clock } from '../../core/ports.js';

/** A process of this computer, as `/proc` tells of it. */
export interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  /** In clock ticks since boot: with the process id it names a process for good. */
  readonly start: string;
}

/** A living process; undefined if there is none or it is only waiting to be reaped. */
export async function processFacts(pid: number): Promise<ProcessFacts | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
  if (text === undefined) return undefined;
  // The name in parentheses may have anything in it; the fields after it do not.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return { pid, parent: Number(fields[1]), start: fields[19] ?? '' };
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

/** Ends what `find` finds, and waits until it finds nothing: KILL at once, or TERM first with `patience` milliseconds to listen to it. */
export async function endProcesses(find: () => Promise<readonly ProcessFacts[]>, clock: Clock, patience = 0): Promise<void> {
  const killAt = clock.now() + patience;
  const asked = new Set<string>();
  for (let delay = 5; ; delay = Math.min(delay * 2, 100)) {
    const found = await find();
    if (found.length === 0) return;
    const isOver = clock.now() >= killAt;
    const news = isOver ? found : found.filter(({ pid, start }) => !asked.has(`${pid} ${start}`));
    for (const { pid, start } of news) asked.add(`${pid} ${start}`);
    signalProcesses(news, isOver ? 'SIGKILL' : 'SIGTERM');
    await clock.sleep(delay);
  }
}
