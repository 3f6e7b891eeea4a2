import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Clock } from '../../../lib/core/ports.js';
import { bytesOnDisk } from '../../../lib/engine/cache/bytes-on-disk.js';
import { type CheckpointRecord, CheckpointStore } from '../../../lib/engine/cache/checkpoint-store.js';
import { pruneCheckpoints, pruneIfOver } from '../../../lib/engine/cache/prune.js';
import { Registry } from '../../../lib/engine/registry.js';
import { systemClock } from '../../../lib/toolkit/host/clock.js';
import { systemExec } from '../../../lib/toolkit/host/exec.js';

const { signal } = new AbortController();
const keyOf = (number: number) => number.toString(16).padStart(64, '0');
const services = { clock: systemClock, exec: systemExec(), registry: new Registry([]) };

const recordOf = (number: number, parent?: number): CheckpointRecord => ({
  build: 'Web/B', step: `Web/B:${number}`, title: String(number), platform: 'fake', project: '/project', at: number, milliseconds: 1, states: {}, ranAt: {},
  ...(parent === undefined ? {} : { parent: keyOf(parent) }),
});

async function save(store: CheckpointStore, number: number, parent?: number, bytes = 10_000): Promise<void> {
  await store.write(keyOf(number), signal, async (folder) => {
    writeFileSync(join(folder, 'state'), Buffer.alloc(bytes, number + 1));
    return { ...recordOf(number, parent), alone: [] };
  });
  await store.touch({ key: keyOf(number) });
}

/** A store whose clock goes on by a second each time it is asked. */
function storeIn(t: Test, user?: string): { readonly store: CheckpointStore; readonly folder: string; readonly of: (run: string) => CheckpointStore } {
  const folder = join(t.testdir(), 'checkpoints');
  let now = 1_000_000_000;
  const clock: Clock = { now: () => now += 1_000, sleep: systemClock.sleep };
  const store = new CheckpointStore({ folder, clock });
  const of = (run: string) => store.usedBy({ run, project: t.testdirName });
  return { store: user === undefined ? store : of(user), folder, of };
}
const numbers = async (store: CheckpointStore) => (await store.list()).map(({ key }) => Number.parseInt(key, 16)).sort((a, b) => a - b);
const prune = (checkpoints: CheckpointStore, limit: number, dryRun = false) => pruneCheckpoints({ checkpoints, services, signal, limit, dryRun });

t.test('what was used least recently goes until there is room', async (t) => {
  const { store, folder } = storeIn(t);
  for (const number of [1, 2, 3]) await save(store, number);
  await store.touch({ key: keyOf(1) });
  const all = (await prune(store, Infinity, true)).left.reduce((sum, { bytes }) => sum + bytes, 0);
  t.equal((await prune(store, all - 1, true)).removed[0]?.step, 'Web/B:2', 'a dry run says so');
  t.same(await numbers(store), [1, 2, 3], 'and removes nothing');
  const { removed, left } = await prune(store, all - 1);
  t.same(removed.map(({ step }) => step), ['Web/B:2']);
  t.same(left.map(({ step }) => step).sort(), ['Web/B:1', 'Web/B:3']);
  t.same(readdirSync(folder).sort(), [keyOf(1), keyOf(3)], 'nothing else is left in the folder');
});

t.test('what a run uses stays, with all it stands on, until the run is over', async (t) => {
  const { store, folder, of } = storeIn(t);
  await save(store, 1);
  await save(store, 2, 1);
  await save(store, 3, 2);
  const run = of('r1');
  t.equal((await run.use(keyOf(2), signal))?.key, keyOf(2));
  t.same((await prune(store, 0)).removed.map(({ step }) => step), ['Web/B:3']);
  t.same(await numbers(store), [1, 2]);
  await run.release(signal);
  await prune(store, 0);
  t.same(readdirSync(folder), []);
});

t.test('what a run saves stays, and is not replaced by another run meanwhile', async (t) => {
  const { store, of } = storeIn(t);
  const run = of('r1');
  await save(run, 1);
  await save(run, 2, 1);
  await prune(store, 0);
  t.same(await numbers(store), [1, 2]);
  await t.rejects(save(of('r2'), 1), { code: 'CheckpointInUse' });
  await run.release(signal);
  await save(of('r2'), 1);
  t.same(await numbers(store), [1], 'and what stood on it is gone: it was made on other bytes');
});

t.test('the marks of another process count while it lives', async (t) => {
  const { store, folder } = storeIn(t);
  await save(store, 1);
  const other = spawn('sleep', ['600'], { stdio: 'ignore' });
  t.teardown(() => other.kill('SIGKILL'));
  markOf(other, folder, 1);
  await prune(store, 0);
  t.same(await numbers(store), [1]);
  const ended = new Promise((resolve) => other.once('close', resolve));
  other.kill('SIGKILL');
  await ended;
  await prune(store, 0);
  await store.sweep(signal);
  t.same(readdirSync(folder), [], 'after kill -9 they do not, and are swept away');
});

function markOf({ pid }: ChildProcess, folder: string, number: number): void {
  const start = execFileSync('cat', [`/proc/${pid}/stat`], { encoding: 'utf8' }).replace(/^.*\) /, '').split(' ')[19];
  writeFileSync(join(folder, `${keyOf(number)}.use-r9`), JSON.stringify({ pid, start, host: execFileSync('hostname', { encoding: 'utf8' }).trim(), run: 'r9', project: '/nowhere' }));
}

t.test('a machine that a run has kept keeps what it stands on', async (t) => {
  const { store, folder } = storeIn(t);
  const project = t.testdirName;
  await save(store, 1);
  const journal = join(project, '.bake/runs/r1/journal.jsonl');
  mkdirSync(join(journal, '..'), { recursive: true });
  const entries = [
    { type: 'run.opened', version: 1, run: 'r1', pid: 1, processStart: '', project, builds: [], at: 1 },
    { type: 'resource.begun', step: 'Web/B/Machine', kind: 'fake.machine', title: 'machine', build: 'Web/B', platform: 'fake', token: 'r1-1', lifetime: 'run', spec: {}, at: 1 },
  ];
  writeFileSync(journal, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  const dead = execFileSync('sh', ['-c', 'echo $$'], { encoding: 'utf8' }).trim();
  writeFileSync(join(folder, `${keyOf(1)}.use-r1`), JSON.stringify({ pid: Number(dead), start: '1', host: execFileSync('hostname', { encoding: 'utf8' }).trim(), run: 'r1', project }));
  await prune(store, 0);
  t.same(await numbers(store), [1]);
  writeFileSync(journal, [...entries, { type: 'run.closed', at: 2 }].map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  await prune(store, 0);
  t.same(await numbers(store), [], 'until it is cleaned up');
});

t.test('halves, rests, locks of dead processes and what is damaged are swept away, and nothing that is alive', async (t) => {
  const { store, folder } = storeIn(t);
  await save(store, 1);
  await save(store, 2);
  for (const name of [`${keyOf(3)}.part`, `${keyOf(4)}.gone-0a0b0c0d`, `${keyOf(5)}.gone`]) mkdirSync(join(folder, name, 'inside'), { recursive: true });
  writeFileSync(join(folder, `${keyOf(6)}.lock`), JSON.stringify({ pid: 2 ** 22, start: '1', host: execFileSync('hostname', { encoding: 'utf8' }).trim() }));
  writeFileSync(join(folder, keyOf(2), 'checkpoint.json'), '{"version":1');
  let written: Promise<unknown> | undefined;
  await new Promise<void>((begun) => {
    written = store.write(keyOf(7), signal, async (place) => {
      writeFileSync(join(place, 'state'), 'x');
      begun();
      await store.sweep(signal);
      return { ...recordOf(7), alone: [] };
    });
  });
  await written;
  t.same(readdirSync(folder).sort(), [keyOf(1), keyOf(7)]);
});

t.test('bytes are those on the disk: holes take none, and two names of one file count once', async (t) => {
  const { store, folder } = storeIn(t);
  await save(store, 1, undefined, 100_000);
  execFileSync('truncate', ['-s', '1G', join(folder, keyOf(1), 'hole')]);
  execFileSync('ln', [join(folder, keyOf(1), 'state'), join(folder, keyOf(1), 'again')]);
  const bytes = await bytesOnDisk(join(folder, keyOf(1)), new Set());
  t.ok(bytes >= 100_000 && bytes < 200_000, `${bytes}`);
});

t.test('a store that is within its limit is left alone', async (t) => {
  const { store, of } = storeIn(t);
  await save(store, 1);
  await save(store, 2);
  await pruneIfOver({ checkpoints: of('r1'), services, signal, limit: 1_000_000 });
  t.same(await numbers(store), [1, 2]);
  await pruneIfOver({ checkpoints: of('r1'), services, signal, limit: 30_000 });
  t.same(await numbers(store), [2]);
});

t.test('over random runs beside it, pruning never takes what a run uses, nor what something that stays stands on', { timeout: 120_000 }, async (t) => {
  let seed = Date.now() % 1_000_000;
  t.comment(`seed ${seed}`);
  const random = () => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
  const pick = (count: number) => Math.floor(random() * count);
  const { store, of } = storeIn(t);
  let saved = 0;
  const run = async (id: string) => {
    const own = of(id);
    const there = await store.list();
    const start = there.length > 0 && random() < 0.6 ? await own.use(there[pick(there.length)]!.key, signal) : undefined;
    let last = start === undefined ? undefined : Number.parseInt(start.key, 16);
    const mine = last === undefined ? [] : [last];
    for (let steps = 1 + pick(3); steps > 0; steps--) {
      const number = ++saved;
      await save(own, number, last, 100);
      mine.push(number);
      last = number;
      for (const each of mine) if (await own.open(keyOf(each)) === undefined) t.fail(`${id} has lost ${each}`);
    }
    await own.release(signal);
  };
  const pruning = async () => {
    const all = (await store.list()).reduce((sum, { bytes }) => sum + bytes, 0);
    await prune(store, Math.floor(random() * all * 40));
    await store.sweep(signal);
    for (const { key } of await store.list()) {
      const one = await store.peek(key);
      if (one !== undefined && await store.open(key) === undefined && await store.peek(key) !== undefined) t.fail(`${key} stands on nothing`);
    }
  };
  for (let round = 0; round < 12; round++) {
    const runs = Array.from({ length: 3 }, (_, index) => run(`r${round}-${index}`));
    await Promise.all([...runs, pruning(), pruning()]);
  }
  await prune(store, 0);
  t.same(await numbers(store), [], 'and all can go in the end');
});
