import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { LocalCommunicator } from '../../../lib/communicators/local/engine/local-communicator.js';
import { fileHandler } from '../../../lib/provisioners/file/engine/file-handler.js';
import type { FileTransferSpec } from '../../../lib/provisioners/file/steps.js';
import { systemExec } from '../../../lib/toolkit/host/exec.js';
import { stagedFile } from '../../support/staged-file.js';
import { stepContext, type StepContextOptions } from '../../support/step-context.js';

const connection = { kind: 'local' };

async function run(t: Test, spec: Omit<FileTransferSpec, 'connection'>, options: StepContextOptions = {}) {
  const ctx = stepContext(t, { connect: () => new LocalCommunicator({ exec: systemExec() }), ...options });
  await fileHandler.run({ connection, ...spec }, ctx);
  return ctx;
}
const upload = async (t: Test, path: string, name: string, contents: boolean, destination: string, mode?: number) => {
  const asset = await stagedFile(path, name);
  return run(t, { direction: 'upload', assets: [{ asset, contents }], destination, ...(mode === undefined ? {} : { mode }) });
};
const text = (...path: string[]) => readFileSync(join(...path), 'utf8');

t.test('a file goes to the destination, or under its name into a folder', async (t) => {
  const folder = t.testdir({ '0123digest': 'hello', to: {} });
  chmodSync(join(folder, '0123digest'), 0o640);
  await upload(t, join(folder, '0123digest'), 'page.html', false, join(folder, 'to/index.html'));
  t.equal(text(folder, 'to/index.html'), 'hello');
  t.equal(statSync(join(folder, 'to/index.html')).mode & 0o777, 0o640);
  await upload(t, join(folder, '0123digest'), 'page.html', false, `${folder}/to/`, 0o755);
  t.equal(statSync(join(folder, 'to/page.html')).mode & 0o777, 0o755);
});

t.test('a folder goes into the destination, its contents go to the destination', async (t) => {
  const folder = t.testdir({ '0123digest': { 'a.txt': 'a', deep: { b: 'b' } }, to: { old: 'old' } });
  await upload(t, join(folder, '0123digest'), 'site', false, join(folder, 'to'));
  t.equal(text(folder, 'to/site/deep/b'), 'b');
  await upload(t, join(folder, '0123digest'), 'site', false, `${folder}/to/sub/`);
  t.equal(text(folder, 'to/sub/site/a.txt'), 'a');
  await upload(t, join(folder, '0123digest'), 'site', true, join(folder, 'to'));
  t.equal(text(folder, 'to/deep/b'), 'b');
  t.equal(text(folder, 'to/old'), 'old');
  await t.rejects(upload(t, join(folder, '0123digest'), 'site', false, join(folder, 'to'), 0o755), { code: 'WrongFileType', message: /mode is for files/ });
  await t.rejects(upload(t, join(folder, '0123digest/a.txt'), 'a.txt', true, join(folder, 'to')), { code: 'WrongFileType', hint: /slash/ });
});

t.test('several sources go into one folder', async (t) => {
  const folder = t.testdir({ one: '1', two: { inside: '2' }, to: {} });
  const assets = [{ asset: await stagedFile(join(folder, 'one')), contents: false }, { asset: await stagedFile(join(folder, 'two')), contents: false }];
  await run(t, { direction: 'upload', assets, destination: `${folder}/to/` });
  t.equal(text(folder, 'to/one') + text(folder, 'to/two/inside'), '12');
  await t.rejects(run(t, { direction: 'upload', assets, destination: `${folder}/to` }), { code: 'FileChoice' });
});

t.test('content is written as it is', async (t) => {
  const folder = t.testdir({});
  await run(t, { direction: 'upload', content: 'grün\r\n', destination: join(folder, 'x'), mode: 0o600 });
  t.equal(text(folder, 'x'), 'grün\r\n');
  t.equal(statSync(join(folder, 'x')).mode & 0o777, 0o600);
  await t.rejects(run(t, { direction: 'upload', content: 'x', destination: `${folder}/` }), { code: 'FileChoice' });
});

t.test('what is made during the run is found in the project, or said to be missing', async (t) => {
  const project = t.testdir({ made: { a: 'a' }, to: {} });
  await run(t, { direction: 'upload', paths: ['made/', 'made'], destination: `${project}/to/` }, { project });
  t.equal(text(project, 'to/a') + text(project, 'to/made/a'), 'aa');
  await t.rejects(run(t, { direction: 'upload', paths: ['never'], destination: '/tmp/x' }, { project }), { code: 'FileNotFound', message: '"never" does not exist' });
});

t.test('a download makes parent folders, and tells files from folders', async (t) => {
  const machine = t.testdir({ log: 'lines', dir: { a: 'a', sub: { b: 'b' } } });
  const project = join(machine, 'project');
  mkdirSync(project);
  await run(t, { direction: 'download', paths: [join(machine, 'log')], destination: 'out/deep/copy.log' }, { project });
  t.equal(text(project, 'out/deep/copy.log'), 'lines');
  await run(t, { direction: 'download', paths: [join(machine, 'log'), join(machine, 'dir')], destination: 'all/' }, { project });
  t.equal(text(project, 'all/log') + text(project, 'all/dir/sub/b'), 'linesb');
  await run(t, { direction: 'download', paths: [`${machine}/dir/`], destination: 'contents' }, { project });
  t.equal(text(project, 'contents/sub/b'), 'b');
  await t.rejects(run(t, { direction: 'download', paths: [join(machine, 'none')], destination: 'x' }, { project }), { code: 'DownloadFailed' });
  t.notOk(existsSync(join(project, 'x')));
});

t.test('a name never leads out of the destination', async (t) => {
  const project = t.testdir({ victim: 'precious', inside: {} });
  await t.rejects(run(t, { direction: 'download', paths: ['/etc/..'], destination: 'inside/' }, { project }), { code: 'InvalidFileName' });
  await t.rejects(upload(t, join(project, 'victim'), '../escaped', false, `${project}/inside/`), { code: 'InvalidFileName' });
});

t.test('a long transfer reports how far it is, a short one does not', async (t) => {
  const folder = t.testdir({ big: Buffer.alloc(3_000_000).toString(), to: {} });
  let now = 0;
  const ticking = { now: () => (now += 100), sleep: async () => {} };
  const assets = [{ asset: await stagedFile(join(folder, 'big')), contents: false }];
  const slow = await run(t, { direction: 'upload', assets, destination: `${folder}/to/` }, { clock: ticking });
  t.ok(slow.progressed.length > 3, `${slow.progressed.length} reports`);
  t.match(slow.progressed.at(-1), { label: 'upload big', current: 3_000_000, total: 3_000_000, unit: 'bytes' });
  const quick = await run(t, { direction: 'upload', assets, destination: `${folder}/to/` }, { clock: { now: () => 0, sleep: async () => {} } });
  t.strictSame(quick.progressed, []);
});

t.test('a big file is streamed', async (t) => {
  const folder = t.testdir({ to: {} });
  writeFileSync(join(folder, 'big'), '');
  truncateSync(join(folder, 'big'), 160 * 1024 * 1024);
  const assets = [{ asset: await stagedFile(join(folder, 'big')), contents: false }];
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  await run(t, { direction: 'upload', assets, destination: `${folder}/to/` }, { clock: { now: () => { most = Math.max(most, process.memoryUsage().arrayBuffers - before); return 0; }, sleep: async () => {} } });
  t.equal(statSync(join(folder, 'to/big')).size, 160 * 1024 * 1024);
  t.ok(most < 100 * 1024 * 1024, `${most} bytes at most`);
});

t.test('an abort ends a transfer', async (t) => {
  const folder = t.testdir({ big: Buffer.alloc(5_000_000).toString(), to: {} });
  const abort = new AbortController();
  const assets = [{ asset: await stagedFile(join(folder, 'big')), contents: false }];
  let now = 0;
  const clock = { now: () => { if ((now += 100) > 500) abort.abort(new Error('enough')); return now; }, sleep: async () => {} };
  await t.rejects(run(t, { direction: 'upload', assets, destination: `${folder}/to/` }, { clock, signal: abort.signal }), { message: 'enough' });
});
