import { appendFileSync, readdirSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type FakeBuild, FakeMachines, type Provisioning } from './fake-machines.js';

const steps = (...names: string[]): readonly Provisioning[] => names.map((name) => ({ name, text: `does ${name}` }));
const web = (provisioners: readonly Provisioning[] = steps('A', 'B', 'C'), more: Partial<FakeBuild> = {}): FakeBuild => ({ image: 'Web', base: 'debian', provisioners, ...more });
const changed = (provisioners: readonly Provisioning[], name: string, change: Partial<Provisioning>) => provisioners.map((one) => (one.name === name ? { ...one, ...change } : one));

t.test('an unchanged build does nothing, and says that it is up to date', async (t) => {
  const world = new FakeMachines(t.testdir());
  const first = await world.run([web()]);
  t.same(first.did, ['Machine', 'A', 'B', 'C', 'Image']);
  t.equal(first.outcome.builds[0]?.upToDate, undefined);
  const second = await world.run([web()]);
  t.same(second.did, []);
  t.match(second.outcome.builds[0], { status: 'succeeded', upToDate: true });
  t.same(second.ids, first.ids, 'with its artifact');
});

t.test('what has changed is done again, with all that follows it and nothing else', async (t) => {
  const three = steps('A', 'B', 'C');
  const cases: readonly [what: string, after: (world: FakeMachines) => FakeBuild, did: readonly string[]][] = [
    ['a text in the middle', () => web(changed(three, 'B', { text: 'else' })), ['restore', 'B', 'C', 'Image']],
    ['the last one', () => web(changed(three, 'C', { text: 'else' })), ['restore', 'C', 'Image']],
    ['the first one', () => web(changed(three, 'A', { text: 'else' })), ['Machine', 'A', 'B', 'C', 'Image']],
    ['a step more', () => web(steps('A', 'B', 'C', 'D')), ['restore', 'D', 'Image']],
    ['a step less', () => web(steps('A', 'C')), ['restore', 'C', 'Image']],
    ['their order', () => web(steps('B', 'A', 'C')), ['Machine', 'B', 'A', 'C', 'Image']],
    ['another kind of step', () => web(changed(three, 'B', { kind: 'other' })), ['restore', 'B', 'C', 'Image']],
    ['a cacheKey', () => web(changed(three, 'C', { policy: { cacheKey: '2' } })), ['restore', 'C', 'Image']],
    ['a secret', (world) => { world.env = { TOKEN: 'two' }; return web([...steps('A'), { name: 'S', text: { $secret: { from: 'env', name: 'TOKEN' } } }, ...steps('C')]); }, ['restore', 'S', 'C', 'Image']],
    ['the base', (world) => { world.bases.set('debian', 'debian 2'); return web(); }, ['Machine', 'A', 'B', 'C', 'Image']],
    ['the handler', (world) => { world.version = 2; return web(); }, ['Machine', 'A', 'B', 'C', 'Image']],
  ];
  for (const [what, after, did] of cases) {
    const world = new FakeMachines(t.testdir());
    world.env = { TOKEN: 'one' };
    await world.run([what === 'a secret' ? web([...steps('A'), { name: 'S', text: { $secret: { from: 'env', name: 'TOKEN' } } }, ...steps('C')]) : web()]);
    const build = after(world);
    const again = await world.run([build]);
    t.same(again.did, did, what);
    t.same(again.ids, (await world.run([build], { cached: false })).ids, `${what}: as if it were built from nothing`);
  }
});

t.test('how a step is tried and titled changes nothing', async (t) => {
  const world = new FakeMachines(t.testdir());
  await world.run([web()]);
  t.same((await world.run([web(changed(steps('A', 'B', 'C'), 'B', { policy: { timeout: 5, retries: 3, pauseBefore: 1 } }))])).did, []);
});

t.test('an artifact that is gone is made again, from the machine as it was', async (t) => {
  const world = new FakeMachines(t.testdir());
  const { ids } = await world.run([web(undefined, { after: ['Push'] })]);
  world.images.clear();
  const again = await world.run([web(undefined, { after: ['Push'] })]);
  t.same(again.did, ['restore', 'Image', 'Push'], 'and what was made of it goes with it');
  t.same(again.ids, ids);
});

t.test('only a post-processor that is new is carried out', async (t) => {
  const world = new FakeMachines(t.testdir());
  await world.run([web(undefined, { after: ['Push'] })]);
  t.same((await world.run([web(undefined, { after: ['Push', 'Sign'] })])).did, ['Sign']);
});

t.test('a run that failed goes on where it ended', async (t) => {
  const world = new FakeMachines(t.testdir());
  world.failing.add('C');
  const failed = await world.run([web()]);
  t.equal(failed.outcome.status, 'failed');
  t.equal(world.machines.size, 0);
  world.failing.clear();
  t.same((await world.run([web()])).did, ['restore', 'C', 'Image']);
});

t.test('what comes after a failure that was let pass is not used again', async (t) => {
  const world = new FakeMachines(t.testdir());
  world.failing.add('B');
  const build = web(changed(steps('A', 'B', 'C'), 'B', { policy: { continueOnError: true } }));
  await world.run([build]);
  world.failing.clear();
  t.same((await world.run([build])).did, ['restore', 'B', 'C', 'Image']);
});

t.test('cache: false is carried out each time, and all that follows', async (t) => {
  const world = new FakeMachines(t.testdir());
  const build = web(changed(steps('A', 'B', 'C'), 'B', { policy: { cache: false } }));
  await world.run([build]);
  t.same((await world.run([build])).did, ['restore', 'B', 'C', 'Image']);
  const kept = (await world.checkpoints.list()).map(({ step }) => step);
  t.same(kept.toSorted(), ['Web/B:A'], 'and nothing is kept that nobody could use');
});

t.test('a kind of step that may depend on anything is so by itself, unless the user says otherwise', async (t) => {
  const world = new FakeMachines(t.testdir());
  const moody = changed(steps('A', 'B', 'C'), 'B', { kind: 'mood' });
  await world.run([web(moody)]);
  t.same((await world.run([web(moody)])).did, ['restore', 'B', 'C', 'Image']);
  const trusted = changed(moody, 'B', { policy: { cache: true } });
  await world.run([web(trusted)]);
  t.same((await world.run([web(trusted)])).did, []);
});

t.test('a time to live ends what is used of a step, and of what stands on it', async (t) => {
  const world = new FakeMachines(t.testdir());
  const build = web(changed(steps('A', 'B', 'C'), 'B', { policy: { cache: true, cacheFor: 60_000 } }));
  await world.run([build]);
  t.same((await world.run([build])).did, []);
  await world.clock.sleep(61_000);
  t.same((await world.run([build])).did, ['restore', 'B', 'C', 'Image']);
  await world.clock.sleep(30_000);
  t.same((await world.run([build])).did, [], 'it counts from when it was carried out last');
});

t.test('what was carried out again because its time was over is kept in place of the old', async (t) => {
  const world = new FakeMachines(t.testdir());
  const build = (text: string) => web(changed(changed(steps('A', 'B', 'C'), 'B', { policy: { cache: true, cacheFor: 60_000 } }), 'C', { text }));
  await world.run([build('one')]);
  await world.clock.sleep(61_000);
  t.same((await world.run([build('two')])).did, ['restore', 'B', 'C', 'Image']);
  t.same((await world.run([build('three')])).did, ['restore', 'C', 'Image']);
});

t.test('--no-cache uses nothing of what it names and of what follows, and keeps what it makes', async (t) => {
  const world = new FakeMachines(t.testdir());
  await world.run([web()]);
  t.same((await world.run([web()], { fresh: ['Web/B:B'] })).did, ['restore', 'B', 'C', 'Image']);
  t.same((await world.run([web()])).did, []);
});

t.test('an image on another one is built again only if that one is another', async (t) => {
  const world = new FakeMachines(t.testdir());
  const base = (text: string): FakeBuild => ({ image: 'Base', base: 'debian', provisioners: [{ name: 'A', text }] });
  const child: FakeBuild = { image: 'Child', base: { imageOf: 'Base' }, provisioners: steps('X') };
  await world.run([base('one'), child]);
  t.same((await world.run([base('one'), child])).did, []);
  world.images.clear();
  t.same((await world.run([base('one'), child])).did.filter((step) => step !== 'restore'), ['Image', 'Image'], 'the same base, made again');
  t.same((await world.run([base('two'), child])).did, ['Machine', 'A', 'Image', 'Machine', 'X', 'Image']);
});

t.test('a checkpoint that is damaged in any way is thrown away, never used', async (t) => {
  const damage: readonly [string, (folder: string) => void][] = [
    ['a byte flipped', (folder) => { writeFileSync(join(folder, 'state'), 'x'.repeat(statSync(join(folder, 'state')).size)); }],
    ['a byte that the disk lost', (folder) => { const { mtime, size } = statSync(join(folder, 'state')); writeFileSync(join(folder, 'state'), 'x'.repeat(size)); utimesSync(join(folder, 'state'), mtime, mtime); }],
    ['cut off', (folder) => { const { mtime } = statSync(join(folder, 'state')); truncateSync(join(folder, 'state'), 3); utimesSync(join(folder, 'state'), mtime, mtime); }],
    ['a file gone', (folder) => { rmSync(join(folder, 'state')); }],
    ['its record damaged', (folder) => { appendFileSync(join(folder, 'checkpoint.json'), '}'); }],
    ['its record gone', (folder) => { rmSync(join(folder, 'checkpoint.json')); }],
  ];
  for (const [what, hurt] of damage) {
    const dir = t.testdir();
    const world = new FakeMachines(dir);
    await world.run([web()]);
    const last = (await world.checkpoints.list()).find(({ step }) => step === 'Web/B:B')!;
    hurt(last.folder);
    const build = web(changed(steps('A', 'B', 'C'), 'C', { text: 'else' }));
    t.same((await world.run([build])).did, ['restore', 'B', 'C', 'Image'], what);
    t.same(readdirSync(join(dir, 'checkpoints')).filter((name) => !/^[0-9a-f]{64}$/.test(name)), [], `${what}: nothing half is left`);
  }
});

t.test('a checkpoint whose parent is gone is not used', async (t) => {
  const world = new FakeMachines(t.testdir());
  await world.run([web()]);
  const all = await world.checkpoints.list();
  await world.checkpoints.remove(all.find(({ step }) => step === 'Web/B:A')!.key);
  t.same((await world.run([web(changed(steps('A', 'B', 'C'), 'C', { text: 'else' }))])).did, ['Machine', 'A', 'B', 'C', 'Image']);
});

t.test('a checkpoint that cannot be saved is no failure', async (t) => {
  const dir = t.testdir({ checkpoints: 'a file where the folder should be' });
  const world = new FakeMachines(dir);
  const { outcome, events } = await world.run([web()]);
  t.equal(outcome.status, 'succeeded');
  t.match(events.find((event) => event.type === 'step.warned'), { code: 'CheckpointFailed', hint: /goes on/ });
});

t.test('two runs at once on one store both end well, with the same image', async (t) => {
  const world = new FakeMachines(t.testdir());
  const runs = await Promise.all([world.run([web()]), world.run([web()])]);
  t.same(runs.map(({ outcome }) => outcome.status), ['succeeded', 'succeeded']);
  t.same(runs[0].ids, runs[1].ids);
});

t.test('a secret is in no checkpoint record and no outcome', async (t) => {
  const dir = t.testdir();
  const world = new FakeMachines(dir);
  world.env = { TOKEN: 'hunter2hunter2' };
  await world.run([web([{ name: 'S', text: { $secret: { from: 'env', name: 'TOKEN' } } }])]);
  const { execFileSync } = await import('node:child_process');
  const found = execFileSync('sh', ['-c', 'grep -rl hunter2hunter2 "$1" || true', 'sh', dir], { encoding: 'utf8' }).trim().split('\n');
  t.ok(found.every((path) => path.endsWith('/state')), 'only in the machine itself, which was told it');
});

t.test('what is too short to be saved is saved where the user is at work', async (t) => {
  const world = new FakeMachines(t.testdir());
  world.stepTime = 150; // two of them are worth one checkpoint, not four
  await world.run([web()]);
  const edit = (text: string) => web(changed(steps('A', 'B', 'C'), 'C', { text }));
  t.same((await world.run([edit('one')])).did, ['Machine', 'A', 'B', 'C', 'Image']);
  t.same((await world.run([edit('two')])).did, ['restore', 'C', 'Image']);
});

t.test('a failed build tells from where a later run goes on, and that run tells where it did', async (t) => {
  const world = new FakeMachines(t.testdir());
  const build: FakeBuild = { image: 'Web', base: 'debian', provisioners: ['A', 'B', 'C'].map((name) => ({ name, text: name })) };
  world.failing.add('C');
  t.equal((await world.run([build])).outcome.builds[0]?.resumesAfter, 'B');
  const again = await world.run([build]);
  t.match(again.events.filter(({ type }) => type === 'build.resumed'), [{ build: 'Web/B', after: 'B' }]);
  t.equal(again.outcome.builds[0]?.resumesAfter, 'B', 'it still can');
  world.failing.clear();
  t.equal((await world.run([build])).outcome.builds[0]?.resumesAfter, undefined, 'one that succeeded has nothing to go on with');
  world.failing.add('A');
  t.equal((await world.run([{ ...build, image: 'Other' }], { cached: false })).outcome.builds[0]?.resumesAfter, undefined, 'nor one without a checkpoint');
});

t.test('a machine in which something runs is not saved', async (t) => {
  const dir = t.testdir();
  const world = new FakeMachines(dir);
  world.isBusy = true;
  const { outcome, events } = await world.run([web()]);
  t.equal(outcome.status, 'succeeded');
  t.notOk(events.some((event) => event.type === 'step.warned'), 'which is nothing to be told of');
  t.same(await world.checkpoints.list(), []);
  t.same(readdirSync(join(dir, 'checkpoints')), [], 'and nothing half is left');
});

t.test('a checkpoint from which nothing comes back is thrown away, so that the next run ends well', async (t) => {
  const world = new FakeMachines(t.testdir());
  await world.run([web()]);
  world.isForgetful = true;
  const edited = web(changed(steps('A', 'B', 'C'), 'C', { text: 'else' }));
  const failed = await world.run([edited]);
  t.equal(failed.outcome.status, 'failed');
  t.match(failed.events.find((event) => event.type === 'step.warned'), { code: 'CheckpointDropped', hint: /run bake again/ });
  world.isForgetful = false;
  const again = await world.run([edited]);
  t.same([again.outcome.status, again.did], ['succeeded', ['restore', 'B', 'C', 'Image']]);
});
