import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { withFileLock } from '../../../lib/engine/file-lock.js';
import { manifestHandler } from '../../../lib/post-processors/manifest/engine/manifest-handler.js';
import { systemClock } from '../../../lib/toolkit/host/clock.js';
import { type StepContextOptions, stepContext } from '../../support/step-context.js';
import { imageArtifact, writeArtifact } from '../file-artifact.js';

const clock = { ...systemClock, now: () => 1_700_000_000_999 };
const wait = { clock: systemClock, signal: new AbortController().signal };
const context = (t: Parameters<typeof stepContext>[0], options: StepContextOptions = {}) => stepContext(t, { clock, ...options });
const read = (folder: string, name = 'bake-manifest.json') => JSON.parse(readFileSync(join(folder, name), 'utf8'));
/** No process has this id, as Linux ends at 4,194,304. */
const deadPid = 99_999_999;

t.test('the file has the shape that programs know from Packer', async (t) => {
  const ctx = context(t, { step: { buildName: 'Qemu', platform: 'qemu', build: 'Web/Qemu' }, runId: 'run-7' });
  const artifact = writeArtifact(ctx.run.project, { 'out/disk.img': 'four' });
  const output = await manifestHandler.acquire({ artifact, output: 'bake-manifest.json', customData: { team: 'web' } }, ctx);
  t.same(read(ctx.run.project), {
    builds: [{
      name: 'Qemu', builder_type: 'qemu', build_time: 1_700_000_000, files: [{ name: 'out/disk.img', size: 4 }],
      artifact_id: 'out/disk.img', packer_run_uuid: 'run-7', custom_data: { team: 'web' }, build: 'Web/Qemu', step: ctx.step.id,
    }],
    last_run_uuid: 'run-7',
  });
  t.same(output, { artifact, path: join(ctx.run.project, 'bake-manifest.json') }, 'the artifact is handed on');
  t.same(readdirSync(ctx.run.project).sort(), ['bake-manifest.json', 'out'], 'no lock and no part is left');
});

t.test('names and time can be left out, and an id that is no path stays as it is', async (t) => {
  const ctx = context(t);
  const artifact = writeArtifact(ctx.run.project, { 'out/disk.img': 'four' });
  await manifestHandler.acquire({ artifact, output: 'm.json', stripPath: true, stripTime: true }, ctx);
  await manifestHandler.acquire({ artifact: { ...imageArtifact, data: { region: 'eu-west-1' } }, output: 'm.json' }, context(t, { project: ctx.run.project, step: { id: 'Image/Source:Other' } }));
  const [first, second] = read(ctx.run.project, 'm.json').builds;
  t.same(first.files, [{ name: 'disk.img', size: 4 }]);
  t.notOk('build_time' in first);
  t.match(second, { artifact_id: 'sha256:1234', files: [], custom_data: null, data: { region: 'eu-west-1' } }, 'what is known of a thing without files is in it');
});

t.test('entries of earlier runs stay, and a second attempt of a step replaces its first', async (t) => {
  const folder = t.testdir({});
  for (const runId of ['run-1', 'run-2', 'run-2']) await manifestHandler.acquire({ artifact: imageArtifact, output: 'm.json' }, context(t, { project: folder, runId }));
  t.same(read(folder, 'm.json').builds.map((entry: { packer_run_uuid: string }) => entry.packer_run_uuid), ['run-1', 'run-2']);
  t.equal(read(folder, 'm.json').last_run_uuid, 'run-2');
});

t.test('members that another program added are kept', async (t) => {
  const folder = t.testdir({ 'm.json': JSON.stringify({ builds: [{ name: 'old', note: 'mine' }], last_run_uuid: 'x', extra: 1 }) });
  await manifestHandler.acquire({ artifact: imageArtifact, output: 'm.json' }, context(t, { project: folder }));
  t.match(read(folder, 'm.json'), { extra: 1, builds: [{ name: 'old', note: 'mine' }, { name: 'Source' }] });
});

t.test('a file that is no manifest is refused, before the run and in it, and stays as it is', async (t) => {
  for (const text of ['{"builds": [', '[]', '{"builds": 1, "last_run_uuid": ""}', '']) {
    const folder = t.testdir({ 'm.json': text });
    const spec = { artifact: imageArtifact, output: 'm.json' };
    await t.rejects(manifestHandler.checkKnown!({ output: 'm.json' }, context(t, { project: folder })), { code: 'ManifestCorrupt', hint: /--force/ });
    await t.rejects(manifestHandler.acquire(spec, context(t, { project: folder })), { code: 'ManifestCorrupt' });
    t.equal(readFileSync(join(folder, 'm.json'), 'utf8'), text);
    await manifestHandler.acquire(spec, context(t, { project: folder, force: true }));
    t.equal(read(folder, 'm.json').builds.length, 1);
  }
});

t.test('with --force a run starts the file anew, once', async (t) => {
  const folder = t.testdir({});
  await manifestHandler.acquire({ artifact: imageArtifact, output: 'm.json' }, context(t, { project: folder, runId: 'old' }));
  for (const buildName of ['A', 'B']) await manifestHandler.acquire({ artifact: imageArtifact, output: 'm.json' }, context(t, { project: folder, runId: 'new', force: true, step: { buildName, build: `Image/${buildName}` } }));
  t.same(read(folder, 'm.json').builds.map(({ name }: { name: string }) => name), ['A', 'B']);
});

t.test('the entry of a failed build is taken back, and only that one', async (t) => {
  const folder = t.testdir({});
  const add = async (runId: string, build: string) => {
    const ctx = context(t, { project: folder, runId, step: { build } });
    return { ctx, handle: await manifestHandler.acquire({ artifact: imageArtifact, output: 'm.json' }, ctx) };
  };
  const first = await add('run-1', 'Image/A');
  const [a, b] = [await add('run-2', 'Image/A'), await add('run-2', 'Image/B')];
  for (let time = 0; time < 2; time++) await manifestHandler.release(a.handle, a.ctx);
  t.same(read(folder, 'm.json').builds.map((entry: { packer_run_uuid: string; build: string }) => `${entry.packer_run_uuid} ${entry.build}`), ['run-1 Image/A', 'run-2 Image/B']);
  t.equal(await manifestHandler.find(a.ctx.token, { artifact: imageArtifact, output: 'm.json' }, a.ctx), undefined);
  t.match(await manifestHandler.find(b.ctx.token, { artifact: imageArtifact, output: 'm.json' }, b.ctx), { path: join(folder, 'm.json') });
  await manifestHandler.release(b.handle, b.ctx);
  await manifestHandler.release(first.handle, first.ctx);
  t.same(readdirSync(folder), [], 'a manifest of nothing goes too');
  await manifestHandler.release(first.handle, first.ctx);
  writeFileSync(join(folder, 'm.json'), 'mine');
  await manifestHandler.release(first.handle, first.ctx);
  t.equal(readFileSync(join(folder, 'm.json'), 'utf8'), 'mine', 'what is no manifest any more is left alone');
});

t.test('a link to a manifest stays a link', async (t) => {
  const folder = t.testdir({ real: {} });
  writeFileSync(join(folder, 'real/m.json'), '{"builds": [], "last_run_uuid": ""}');
  symlinkSync('real/m.json', join(folder, 'm.json'));
  await manifestHandler.acquire({ artifact: imageArtifact, output: 'm.json' }, context(t, { project: folder }));
  t.equal(read(folder, 'real/m.json').builds.length, 1);
});

t.test('400 builds of one process all get in', async (t) => {
  const folder = t.testdir({});
  await Promise.all(Array.from({ length: 400 }, (_, index) => manifestHandler.acquire({ artifact: imageArtifact, output: 'm.json' }, context(t, { project: folder, step: { buildName: `B${index}`, build: `Image/B${index}` } }))));
  t.equal(new Set(read(folder, 'm.json').builds.map(({ name }: { name: string }) => name)).size, 400);
});

t.test('a lock of a dead process, also one whose id was given to another, is taken over at once', async (t) => {
  for (const holder of [{ pid: deadPid, start: '1', host: hostname() }, { pid: process.pid, start: '1', host: hostname() }]) {
    const path = join(t.testdir({ lock: JSON.stringify(holder) }), 'lock');
    t.equal(await withFileLock(path, wait, async () => existsSync(path)), true);
    t.notOk(existsSync(path));
    t.notOk(existsSync(`${path}.stale`));
  }
});

t.test('also if the one who was taking it over died too', async (t) => {
  const dead = JSON.stringify({ pid: deadPid, start: '1', host: hostname() });
  const folder = t.testdir({ 'lock': dead, 'lock.stale': dead, 'lock.stale.stale': dead });
  t.equal(await withFileLock(join(folder, 'lock'), wait, async () => 'done'), 'done');
  t.same(readdirSync(folder), []);
});

t.test('a lock that was never written to its end, or is another host’s, is waited for until it is old', async (t) => {
  for (const text of ['', JSON.stringify({ pid: 1, start: '1', host: 'elsewhere' })]) {
    const path = join(t.testdir({ lock: text }), 'lock');
    const waits: number[] = [];
    let now = Date.now();
    const patient = { signal: wait.signal, clock: { now: () => now, sleep: async (milliseconds: number) => { waits.push(milliseconds); now += 20_000; } } };
    t.equal(await withFileLock(path, patient, async () => 'done'), 'done');
    t.same(waits.slice(0, 3), [50, 100, 200]);
  }
});

t.test('a lock that is held is waited for, and an abort ends the wait', async (t) => {
  const start = readFileSync(`/proc/${process.ppid}/stat`, 'utf8').split(') ')[1]!.split(' ')[19];
  const path = join(t.testdir({ lock: JSON.stringify({ pid: process.ppid, start, host: hostname() }) }), 'lock');
  const abort = new AbortController();
  const sleep = async (_: number, signal?: AbortSignal) => { abort.abort(new Error('enough')); signal?.throwIfAborted(); };
  await t.rejects(withFileLock(path, { signal: abort.signal, clock: { now: Date.now, sleep } }, async () => t.fail('never')), { message: 'enough' });
  t.ok(existsSync(path), 'it is still its holder’s');
});

t.test('a failure inside gives the lock back', async (t) => {
  const path = join(t.testdir({}), 'lock');
  await t.rejects(withFileLock(path, wait, async () => { throw new Error('inside'); }), { message: 'inside' });
  t.equal(await withFileLock(path, wait, async () => 'next'), 'next');
});
