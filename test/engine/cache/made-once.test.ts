// Builds that need the same checkpoint make it once, in one run and in two: the runs here are two as if of two processes.
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import type { BakeEvent } from '../../../lib/core/events.js';
import { type FakeBuild, FakeMachines, type Provisioning, type RunMore } from './fake-machines.js';

const steps = (...names: string[]): readonly Provisioning[] => names.map((name) => ({ name, text: `does ${name}` }));
const web = (names: readonly string[] = ['A', 'B', 'C'], image = 'Web'): FakeBuild => ({ image, base: 'debian', provisioners: steps(...names) });

/** A promise that is resolved from outside. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => { open = resolve; });
  return { opened, open: () => open() };
}

/** Starts a run, and tells when an event of it comes. */
function start(world: FakeMachines, builds: readonly FakeBuild[], more: RunMore = {}) {
  const seen: BakeEvent[] = [];
  const watchers = new Set<() => void>();
  const done = world.run(builds, { ...more, onEvent: (event) => { seen.push(event); for (const watch of watchers) watch(); more.onEvent?.(event); } });
  const sawOne = (isIt: (event: BakeEvent) => boolean) => new Promise<void>((resolve) => {
    const watch = () => { if (seen.some(isIt)) resolve(); };
    watchers.add(watch);
    watch();
  });
  return {
    done,
    saw: (type: BakeEvent['type']) => sawOne((event) => event.type === type),
    /** Its lookups are over, and it is at work. */
    begun: () => sawOne((event) => event.type === 'step.started' && event.step.endsWith('/Machine')),
  };
}

/** What the makers of a world have left: nothing, when all is over. */
const rest = (dir: string) => readdirSync(join(dir, 'makers'));
const count = (world: FakeMachines, name: string) => world.order.filter((step) => step === name).length;

t.test('of two runs at once the second waits for the first, tells so, and goes on from where they part', async (t) => {
  const dir = t.testdir();
  const world = new FakeMachines(dir);
  const [begins, ends] = [gate(), gate()];
  world.gates.set('r1 B', begins.opened);
  world.gates.set('r1 D', ends.opened);
  const first = start(world, [web(['A', 'B', 'C', 'D'])]);
  await first.begun();
  const second = start(world, [web()]);
  await second.saw('build.waiting');
  t.equal(world.machines.size, 1, 'it holds nothing');
  begins.open();
  const { outcome, events, ids } = await second.done;
  t.equal(outcome.status, 'succeeded');
  t.match(events.find((event) => event.type === 'build.waiting'), { build: 'Web/B', by: 'Web/B', run: 'r1', process: process.pid, until: 'C' });
  t.match(events.find((event) => event.type === 'build.resumed'), { after: 'C' });
  t.same(world.order, ['Machine', 'A', 'B', 'C', 'restore', 'Image']);
  ends.open();
  t.equal((await first.done).outcome.status, 'succeeded');
  t.same(rest(dir), []);
  t.same(ids, (await world.run([web()], { cached: false })).ids);
});

t.test('what two builds have in common is made once, and each does the rest', async (t) => {
  const dir = t.testdir();
  const world = new FakeMachines(dir);
  await Promise.all([world.run([web(['A', 'B', 'C', 'D'])]), world.run([web(['A', 'B', 'X'])]), world.run([web(['A', 'B', 'X', 'Y'])])]);
  t.same(world.order.filter((step) => !['Image', 'restore', 'Machine'].includes(step)).toSorted(), ['A', 'B', 'C', 'D', 'X', 'Y']);
  t.equal(count(world, 'Machine'), 1);
  t.same(rest(dir), []);
});

t.test('images that start from the same machine make it once, if it takes long', async (t) => {
  const world = new FakeMachines(t.testdir());
  world.machineTime = 60_000;
  const { outcome, events } = await world.run([web(['A'], 'One'), web(['A'], 'Two'), web(['A'], 'Three')]);
  t.equal(outcome.status, 'succeeded');
  t.same([count(world, 'Machine'), count(world, 'restore')], [1, 2]);
  t.match(events.find((event) => event.type === 'build.waiting'), { until: 'Machine', process: undefined });
});

t.test('nobody waits for a machine that is soon made', async (t) => {
  const world = new FakeMachines(t.testdir());
  const both = () => [web(['A'], 'One'), web(['A'], 'Two')];
  await world.run(both(), { save: 'none' });
  world.images.clear();
  const { events } = await world.run(both());
  t.notOk(events.some(({ type }) => type === 'build.waiting'));
  t.equal(count(world, 'Machine'), 4);
});

t.test('a step that would be too short to be saved is saved for the one that waits for it', async (t) => {
  const world = new FakeMachines(t.testdir());
  world.stepTime = 150;
  const held = gate();
  world.gates.set('r1 A', held.opened);
  const first = start(world, [web(['A', 'B'])]);
  await first.begun();
  const second = start(world, [web(['A', 'B'])]);
  await second.saw('build.waiting');
  held.open();
  await Promise.all([first.done, second.done]);
  t.same([count(world, 'A'), count(world, 'B')], [1, 1]);
});

t.test('the second goes on itself as soon as the first has failed, from where that one came to', async (t) => {
  const dir = t.testdir();
  const world = new FakeMachines(dir);
  const held = gate();
  world.gates.set('r1 B', held.opened);
  const first = start(world, [web()], { onEvent: ({ type }) => { if (type === 'step.failed') world.failing.clear(); } });
  await first.begun();
  const second = start(world, [web()]);
  await second.saw('build.waiting');
  world.failing.add('B');
  held.open();
  t.equal((await first.done).outcome.status, 'failed');
  t.equal((await second.done).outcome.status, 'succeeded');
  t.same([count(world, 'A'), count(world, 'B')], [1, 1]);
  t.same(rest(dir), []);
});

t.test('the second goes on itself at once if the machine of the first cannot be saved', async (t) => {
  const world = new FakeMachines(t.testdir());
  world.isBusy = true;
  const [one, two] = [gate(), gate()];
  world.gates.set('r1 A', one.opened);
  world.gates.set('r1 B', two.opened);
  const first = start(world, [web()]);
  await first.begun();
  const second = start(world, [web()]);
  await second.saw('build.waiting');
  one.open();
  t.equal((await second.done).outcome.status, 'succeeded', 'while the first is still at work');
  two.open();
  t.equal((await first.done).outcome.status, 'succeeded');
});

t.test('the second goes on itself if the first let a failure pass', async (t) => {
  const world = new FakeMachines(t.testdir());
  const build: FakeBuild = { ...web(), provisioners: steps('A', 'B', 'C').map((one) => (one.name === 'A' ? { ...one, policy: { continueOnError: true } } : one)) };
  const [one, two] = [gate(), gate()];
  world.gates.set('r1 A', one.opened);
  world.gates.set('r1 B', two.opened);
  const first = start(world, [build], { onEvent: ({ type }) => { if (type === 'step.failed') world.failing.clear(); } });
  await first.begun();
  const second = start(world, [build]);
  await second.saw('build.waiting');
  world.failing.add('A');
  one.open();
  t.equal((await second.done).outcome.status, 'succeeded');
  two.open();
  t.not((await first.done).ids[0], (await second.done).ids[0]);
});

t.test('a run that is ended while it waits ends at once, and has done nothing', async (t) => {
  const world = new FakeMachines(t.testdir());
  const held = gate();
  world.gates.set('r1 A', held.opened);
  const first = start(world, [web()]);
  await first.begun();
  const stop = new AbortController();
  const second = start(world, [web()], { signal: stop.signal });
  await second.saw('build.waiting');
  stop.abort(new Error('interrupted'));
  t.equal((await second.done).outcome.status, 'cancelled');
  held.open();
  t.equal((await first.done).outcome.status, 'succeeded');
  t.same(world.order, ['Machine', 'A', 'B', 'C', 'Image']);
});

t.test('a build that waits leaves its place to others', async (t) => {
  const world = new FakeMachines(t.testdir());
  const held = gate();
  world.gates.set('r1 A', held.opened);
  const first = start(world, [web()]);
  await first.begun();
  const second = start(world, [web(), web(['X'], 'Other')], { parallel: 1 });
  await second.saw('build.waiting');
  await second.saw('build.finished');
  t.ok(world.order.includes('X'));
  held.open();
  t.equal((await second.done).outcome.status, 'succeeded');
  await first.done;
});

t.test('nobody waits for a run that keeps nothing, that is asked for anew, or that may stop to ask', async (t) => {
  for (const more of [{ save: 'none' }, { fresh: ['Web/B:A'] }, { onError: 'ask' }] as const) {
    const world = new FakeMachines(t.testdir());
    const held = gate();
    world.gates.set('r1 A', held.opened);
    const first = start(world, [web()], more);
    await first.begun();
    const { outcome, events } = await world.run([web()]);
    t.equal(outcome.status, 'succeeded', JSON.stringify(more));
    t.notOk(events.some(({ type }) => type === 'build.waiting'), JSON.stringify(more));
    held.open();
    t.equal((await first.done).outcome.status, 'succeeded');
  }
});

/** Lays down what a build of another process says while it is at work on all of `Web`. */
async function makerOf(dir: string, world: FakeMachines, who: object): Promise<void> {
  await world.run([web()]);
  const { steps: last } = (await world.lastBuilds.read('Web/B'))!;
  for (const name of ['checkpoints', 'outcomes', 'last']) rmSync(join(dir, name), { recursive: true });
  world.order.length = 0;
  mkdirSync(join(dir, 'makers'), { recursive: true });
  for (const name of ['A', 'B', 'C']) writeFileSync(join(dir, 'makers', last[`Web/B:${name}`]!.hex), JSON.stringify({ host: hostname(), run: 'other', build: 'Web/B', project: '/', ...who }));
}

t.test('when the other process is killed, the build goes on itself', async (t) => {
  const dir = t.testdir();
  const world = new FakeMachines(dir);
  const child = spawn('sleep', ['600'], { stdio: 'ignore' });
  t.teardown(() => child.kill('SIGKILL'));
  const begun = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[19]!;
  await makerOf(dir, world, { pid: child.pid, start: begun });
  const run = start(world, [web()]);
  await run.saw('build.waiting');
  t.same(world.order, []);
  child.kill('SIGKILL');
  const { outcome, did } = await run.done;
  t.same([outcome.status, did], ['succeeded', ['Machine', 'A', 'B', 'C', 'Image']]);
  t.same(rest(dir), []);
});

t.test('nobody waits for a process that is dead, nor for one of another computer', async (t) => {
  for (const who of [{ pid: process.pid, start: 'another' }, { pid: 1, start: '', host: 'elsewhere' }]) {
    const dir = t.testdir();
    const world = new FakeMachines(dir);
    await makerOf(dir, world, who);
    const { outcome, events } = await world.run([web()]);
    t.equal(outcome.status, 'succeeded');
    t.notOk(events.some(({ type }) => type === 'build.waiting'));
  }
});

t.test('what dead processes said is swept away, and what living ones say is not', async (t) => {
  const dir = t.testdir();
  const world = new FakeMachines(dir);
  await makerOf(dir, world, { pid: process.pid, start: 'another' });
  const { signal } = new AbortController();
  const key = 'f'.repeat(64);
  await world.makers.begin([key], { run: 'living', build: 'Web/B', project: '/' }, { mayWait: false, mayPromise: true, signal });
  await world.makers.sweep(signal);
  t.same(rest(dir), [key]);
});

t.test('runs of any builds in any order at once all end well, with what they give without a cache', { timeout: 120_000 }, async (t) => {
  const chain = fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 4 });
  const one = fc.record({ image: fc.constantFrom('One', 'Two'), texts: chain });
  const run = fc.record({ builds: fc.uniqueArray(one, { minLength: 1, maxLength: 2, selector: ({ image }) => image }), parallel: fc.constantFrom(1, 2), save: fc.constantFrom('auto' as const, 'auto' as const, 'all' as const, 'none' as const) });
  let number = 0;
  await fc.assert(fc.asyncProperty(fc.array(run, { minLength: 2, maxLength: 4 }), fc.constantFrom(0, 200, 60_000), fc.boolean(), async (runs, machineTime, isBusy) => {
    const name = `world-${number++}`;
    const dir = join(t.testdir({ [name]: {} }), name);
    const world = new FakeMachines(dir);
    Object.assign(world, { machineTime, isBusy });
    const plans = runs.map(({ builds }) => builds.map(({ image, texts }): FakeBuild => ({ image, base: 'debian', provisioners: texts.map((text, index) => ({ name: `S${index}`, text })) })));
    const results = await Promise.all(runs.map(({ parallel, save }, index) => world.run(plans[index]!, { parallel, save })));
    for (const [index, { outcome, ids }] of results.entries()) {
      if (outcome.status !== 'succeeded') throw new Error(`a run ${outcome.status}: ${JSON.stringify(outcome.builds.map(({ error }) => error))}`);
      const plain = await world.run(plans[index]!, { cached: false });
      if (plain.ids.join() !== ids.join()) throw new Error('it gave something else');
    }
    if (rest(dir).length > 0) throw new Error(`${rest(dir).join()} was left`);
  }), { numRuns: 60 });
  t.pass();
});
