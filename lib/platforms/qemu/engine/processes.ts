import { readdir, readFile } from 'node:fs/promises';
import type { Clock, Exec } from '../../../core/ports.js';

/** The processes with `mark` as part of an argument: one machine's folder, which is in the arguments of nothing else. */
export async function processesWith(mark: string, exec: Exec): Promise<readonly number[]> {
  const all = process.platform === 'linux' ? await fromProc() : await fromPs(exec);
  return all.filter(({ pid, command }) => pid !== process.pid && command.includes(mark)).map(({ pid }) => pid);
}

/** KILLs them, and waits until they are gone: a process on its way out loses its arguments first, and keeps its files open and locked until its end. */
export async function endProcessesWith(mark: string, { exec, clock }: { readonly exec: Exec; readonly clock: Clock }): Promise<void> {
  const ending = new Set<number>();
  for (let delay = 10; ; delay = Math.min(delay * 2, 250)) {
    for (const pid of await processesWith(mark, exec)) if (end(pid)) ending.add(pid);
    for (const pid of ending) if (await isGone(pid)) ending.delete(pid);
    if (ending.size === 0) return;
    await clock.sleep(delay);
  }
}

/** False if it ended by itself, or is another user's, who only names the folder. */
function end(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

/** Whether nothing runs of it any more; its first thread may still wait for its parent to take notice. */
async function isGone(pid: number): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  return threads.length === 0 || (threads.length === 1 && /^State:\s+[ZX]/m.test(await readFile(`/proc/${pid}/status`, 'latin1').catch(() => 'State: X')));
}

interface Running {
  readonly pid: number;
  readonly command: string;
}

async function fromProc(): Promise<readonly Running[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  // A process that has ended and was not waited for has no command line any more.
  return Promise.all(names.map(async (name) => ({ pid: Number(name), command: await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '') })));
}

async function fromPs(exec: Exec): Promise<readonly Running[]> {
  const lines: string[] = [];
  await exec.run({ command: 'ps', args: ['-axww', '-o', 'pid=,command='], onStdout: (line) => lines.push(line) });
  return lines.map((line) => {
    const [, pid = '', command = ''] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
    return { pid: Number(pid), command };
  });
}
