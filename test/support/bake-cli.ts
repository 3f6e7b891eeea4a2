import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The CLI as it is built and shipped. */
export const bakeProgram = join(dirname(fileURLToPath(import.meta.url)), '../../dist/bin/bake.js');

export interface BakeResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningBake {
  readonly child: ChildProcess;
  readonly done: Promise<BakeResult>;
  /** Resolves as soon as a line of either output matches; rejects if the program ends without one. */
  saw(pattern: RegExp): Promise<void>;
}

/** Starts `bake` in a project's folder. */
export function startBake(project: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): RunningBake {
  // The test runner preloads modules into every Node process through this variable: a user's has none of them.
  const { NODE_OPTIONS: options, ...others } = env;
  const node = ['-u', 'NODE_OPTIONS', ...(options === undefined ? [] : [`NODE_OPTIONS=${options}`]), process.execPath];
  // What one test has built must not be found by another.
  const cache = others['BAKE_CACHE_DIR'] ?? join(project, '.bake', 'cache');
  const child = spawn('env', [...node, bakeProgram, ...args], { cwd: project, env: { ...process.env, NO_COLOR: '1', BAKE_CACHE_DIR: cache, ...others }, stdio: ['ignore', 'pipe', 'pipe'] });
  child.once('close', () => rememberCheckpoints(cache));
  const text = { stdout: '', stderr: '' };
  const watchers = new Set<() => void>();
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8');
    child[stream].on('data', (chunk: string) => { text[stream] += chunk; for (const watch of watchers) watch(); });
  }
  const done = new Promise<BakeResult>((resolve) => child.on('close', (code, signal) => resolve({ code, signal, ...text })));
  const saw = (pattern: RegExp) => new Promise<void>((resolve, reject) => {
    const watch = () => { if (pattern.test(text.stdout) || pattern.test(text.stderr)) { watchers.delete(watch); resolve(); } };
    watchers.add(watch);
    watch();
    void done.then(() => reject(new Error(`bake ended without ${String(pattern)}:\n${text.stdout}\n${text.stderr}`)));
  });
  return { child, done, saw };
}

export function bake(project: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<BakeResult> {
  return startBake(project, args, env).done;
}

const checkpoints = new Set<string>();

function rememberCheckpoints(cache: string): void {
  const folder = join(cache, 'checkpoints');
  if (existsSync(folder)) for (const name of readdirSync(folder)) if (/^[0-9a-f]{64}$/.test(name)) checkpoints.add(name);
}

// Those of containers are images with the daemon, which a project's folder does not take along when it goes.
process.once('exit', () => {
  for (const key of checkpoints) spawnSync('docker', ['rmi', `bake-checkpoint:${key}`], { stdio: 'ignore' });
});
