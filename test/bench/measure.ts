import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Sample {
  /** Seconds. */
  readonly wall: number;
  /** User and system time of the process and all that it waited for, in seconds. */
  readonly cpu: number;
}

/** Runs a command once; a failure ends the benchmark, as its time would mean nothing. */
export function time({ command, args, cwd, env }: Command): Promise<Sample> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', 'TIMEFORMAT="%R %U %S"; time "$@"', '--', command, ...args], { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk) => { stderr += String(chunk); });
    child.on('close', (code) => {
      const [wall = 0, user = 0, system = 0] = (stderr.trim().split('\n').at(-1) ?? '').split(' ').map(Number);
      if (code === 0) resolve({ wall, cpu: user + system });
      else reject(new Error(`${command} ${args.join(' ')} ended with ${code}:\n${stderr.slice(-2_000)}`));
    });
  });
}

/** The largest sum of the proportional set sizes of a process and all below it, in MiB, and the most processes at once; in a run of its own, because looking costs time. */
export function peak({ command, args, cwd, env }: Command): Promise<{ readonly memory: number; readonly processes: number }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: 'ignore' });
    let [memory, processes] = [0, 0];
    const timer = setInterval(() => {
      const tree = treeOf(child.pid ?? 0);
      processes = Math.max(processes, tree.length);
      memory = Math.max(memory, tree.reduce((sum, pid) => sum + pssOf(pid), 0) / 1024);
    }, 100);
    child.on('close', () => { clearInterval(timer); resolve({ memory, processes }); });
  });
}

export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function treeOf(root: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = read(`/proc/${name}/stat`);
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const tree = [root];
  for (let index = 0; index < tree.length; index++) tree.push(...(children.get(tree[index]!) ?? []));
  return tree;
}

/** KiB. */
function pssOf(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // the process has ended
  }
}
