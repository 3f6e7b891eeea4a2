import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesOnDisk } from '../../lib/engine/cache/bytes-on-disk.js';
import { type CacheBenchHost, type CachedPlatform, writeProject } from './cache-cases.js';
import { median, time } from './measure.js';

/** What checkpoints cost on one platform. Times in milliseconds. */
export interface CheckpointCosts {
  readonly platform: CachedPlatform;
  /** Checkpoints in the store. */
  readonly count: number;
  /** For one, as the build waits for it: the median and the longest. */
  readonly each: number;
  readonly longest: number;
  /** A step of the same build without checkpoints. */
  readonly step: number;
  /** That one takes: of the first and the last, and all of them with what they share counted once. */
  readonly first: number;
  readonly last: number;
  readonly bytes: number;
  /** The last of all steps edited, beside all of them. */
  readonly edit: number;
  /** Removing all of them. */
  readonly prune: number;
}

/** Builds with a checkpoint after each step, of which each adds a file of 64 KiB. */
export async function checkpointCosts(host: CacheBenchHost, platform: CachedPlatform, shells: number): Promise<CheckpointCosts> {
  const cwd = join(host.folder, `checkpoints-${platform}-${shells}`);
  writeProject(host, platform, cwd, { shells, kibibytes: 64 });
  const env = { BAKE_CACHE_DIR: join(cwd, 'cache'), BAKE_CACHE_SIZE: '200GB' };
  const bake = (...args: string[]) => ({ command: process.execPath, args: [host.bake, ...args], cwd, env });
  const again = ['run', '--no-cache', '--force', '--json', '--checkpoints'];
  const without = await events([...again, 'none'], cwd, host.bake, env);
  const saved = (await events([...again, 'all'], cwd, host.bake, env)).filter(({ type }) => type === 'checkpoint.saved').map(({ milliseconds = 0 }) => milliseconds);
  const edits: number[] = [];
  for (let edit = 1; edit <= 3; edit++) edits.push((await time(bake('run', '-c', `n=${edit}`, '--checkpoints', 'none'))).wall * 1_000);
  const sizes = await sizesIn(join(env.BAKE_CACHE_DIR, 'checkpoints'));
  const prune = (await time(bake('prune', '--keep-storage', '0'))).wall * 1_000;
  return {
    platform, count: sizes.length, each: median(saved), longest: Math.max(...saved), edit: median(edits), prune,
    step: median(without.filter(({ type, step }) => type === 'step.succeeded' && step?.includes(':') === true).map(({ milliseconds = 0 }) => milliseconds)),
    first: sizes[0] ?? 0, last: sizes.at(-1) ?? 0, bytes: sizes.reduce((sum, size) => sum + size, 0),
  };
}

interface BenchEvent {
  readonly type: string;
  readonly step?: string;
  readonly milliseconds?: number;
}

function events(args: readonly string[], cwd: string, program: string, env: Readonly<Record<string, string>>): Promise<readonly BenchEvent[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk) => { stdout += String(chunk); });
    child.stderr.on('data', (chunk) => { stderr += String(chunk); });
    child.on('close', (code) => {
      if (code === 0) resolve(stdout.trim().split('\n').map((line) => JSON.parse(line) as BenchEvent));
      else reject(new Error(`bake ${args.join(' ')} ended with ${code}:\n${stderr.slice(-2_000)}`));
    });
  });
}

/** Bytes of each checkpoint, in the order in which they were made; what several share counts for the first. */
async function sizesIn(folder: string): Promise<readonly number[]> {
  const keys = readdirSync(folder).filter((name) => /^[0-9a-f]{64}$/.test(name));
  const records = keys.map((key) => ({ key, ...JSON.parse(readFileSync(join(folder, key, 'checkpoint.json'), 'utf8')) as { readonly at: number; readonly states: Readonly<Record<string, { readonly saved?: { readonly bytes?: number } }>> } }));
  const seen = new Set<string>();
  const sizes: number[] = [];
  for (const { key, states } of records.sort((a, b) => a.at - b.at)) {
    const outside = Object.values(states).reduce((sum, { saved }) => sum + (saved?.bytes ?? 0), 0);
    sizes.push(outside + await bytesOnDisk(join(folder, key), seen));
  }
  return sizes;
}

/** A line for each platform. */
export function formatCosts({ platform, count, each, longest, step, first, last, bytes, edit, prune }: CheckpointCosts): string {
  const size = (value: number) => `${(value / 1024 / 1024).toFixed(value < 10 * 1024 * 1024 ? 2 : 0)} MiB`;
  return `  ${platform}: ${count} checkpoints; each ${each.toFixed(0)} ms (longest ${longest.toFixed(0)} ms) beside a step of ${step.toFixed(0)} ms; first ${size(first)}, last ${size(last)}, all ${size(bytes)}; last step edited ${(edit / 1_000).toFixed(2)} s; prune ${(prune / 1_000).toFixed(2)} s`;
}
