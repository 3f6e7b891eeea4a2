import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { stageAsset } from '../../lib/assembly/stage-asset.js';

function project(t: Test, files: Parameters<typeof t.testdir>[0]) {
  const folder = t.testdir(files);
  const assets = join(folder, 'bake.out', 'assets');
  mkdirSync(assets, { recursive: true });
  const stage = async (path: string) => (await stageAsset({ pending: path }, { project: folder, folder: assets })).$asset;
  return { folder, assets, stage };
}

t.test('a staged file is a copy with its mode, under its digest', async (t) => {
  const { folder, assets, stage } = project(t, { 'run.sh': 'echo' });
  chmodSync(join(folder, 'run.sh'), 0o755);
  const { digest, type, name, size } = await stage('run.sh');
  t.same({ type, name, size }, { type: 'file', name: 'run.sh', size: 4 });
  t.equal(readFileSync(join(assets, digest), 'utf8'), 'echo');
  t.equal(statSync(join(assets, digest)).mode & 0o777, 0o755);
});

t.test('content, mode and names change a digest; times do not', async (t) => {
  const { folder, stage } = project(t, { dir: { a: '1', sub: { b: '2' }, link: t.fixture('symlink', 'a') } });
  const digests = new Set<string>();
  const add = async () => digests.add((await stage('dir')).digest);
  await add();
  writeFileSync(join(folder, 'dir', 'a'), '1');
  await add();
  t.equal(digests.size, 1, 'the same content');
  writeFileSync(join(folder, 'dir', 'a'), 'changed');
  await add();
  chmodSync(join(folder, 'dir', 'sub', 'b'), 0o700);
  await add();
  writeFileSync(join(folder, 'dir', 'new'), '');
  await add();
  t.equal(digests.size, 4);
});

t.test('the whole project may be an asset: what bake writes is left out', async (t) => {
  const { assets, stage } = project(t, { a: '1', '.bake': { runs: { x: 'y' } } });
  const first = await stage('.');
  t.equal((await stage('.')).digest, first.digest);
  t.ok(existsSync(join(assets, first.digest, 'a')));
  t.notOk(existsSync(join(assets, first.digest, '.bake')) || existsSync(join(assets, first.digest, 'bake.out')));
});

t.test('what is not there, or is no file, says so', async (t) => {
  const { stage } = project(t, {});
  await t.rejects(stage('nothing'), { code: 'FileNotFound', hint: /image\.ts/ });
  await t.rejects(stage('/dev/null'), { code: 'WrongFileType' });
});

t.test('files and folders with the same content are staged at the same time', async (t) => {
  const numbers = [1, 2, 3, 4, 5, 6];
  const { assets, stage } = project(t, Object.fromEntries(numbers.flatMap((n) => [[`file${n}`, 'same'], [`dir${n}`, { a: 'same', b: 'same', c: 'same' }]])));
  const digests = await Promise.all(numbers.flatMap((n) => [stage(`file${n}`), stage(`dir${n}`)]));
  t.same(readdirSync(assets).sort(), [...new Set(digests.map(({ digest }) => digest))].sort(), 'both once, and no part is left');
});

t.test('the copy of a folder has its modes and links', async (t) => {
  const { folder, assets, stage } = project(t, { dir: { sub: { set: 'x', 'read-only': 'y' }, up: t.fixture('symlink', '../nowhere'), empty: {} } });
  chmodSync(join(folder, 'dir/sub/set'), 0o4711);
  chmodSync(join(folder, 'dir/sub/read-only'), 0o400);
  chmodSync(join(folder, 'dir/empty'), 0o1777);
  chmodSync(join(folder, 'dir/sub'), 0o555);
  chmodSync(join(folder, 'dir'), 0o750);
  const copy = join(assets, (await stage('dir')).digest);
  const modes = (path: string) => ['', 'sub', 'sub/set', 'sub/read-only', 'empty'].map((name) => (statSync(join(path, name)).mode & 0o7777).toString(8));
  t.same(modes(copy), ['750', '555', '4711', '400', '777']);
  t.equal(readlinkSync(join(copy, 'up')), '../nowhere');
  await stage('dir/');
  t.same(readdirSync(assets).length, 1, 'and is made once');
  for (const path of [copy, join(folder, 'dir')]) chmodSync(join(path, 'sub'), 0o755);
});

t.test('a copy that is gone or cut short is made anew', async (t) => {
  const { assets, stage } = project(t, { file: 'content', dir: { a: '1' } });
  const file = join(assets, (await stage('file')).digest);
  truncateSync(file, 3);
  await stage('file');
  t.equal(readFileSync(file, 'utf8'), 'content');
  rmSync(file);
  await stage('file');
  t.equal(readFileSync(file, 'utf8'), 'content');
  const dir = join(assets, (await stage('dir')).digest);
  rmSync(dir, { recursive: true });
  await stage('dir');
  t.equal(readFileSync(join(dir, 'a'), 'utf8'), '1');
});

t.test('a stage that cannot be written says so', async (t) => {
  const { folder } = project(t, { file: 'x', dir: { x: 'x' }, stage: 'a file where a folder should be' });
  for (const pending of ['file', 'dir']) await t.rejects(stageAsset({ pending }, { project: folder, folder: join(folder, 'stage') }), { code: 'StageNotWritable', message: `"${pending}" cannot be copied`, hint: /bake\.out/ });
});
