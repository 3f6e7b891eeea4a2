import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { stageAsset } from '../../lib/assembly/stage-asset.js';

function project(t: Test, files: Parameters<typeof t.testdir>[0]) {
  const folder = t.testdir(files);
  const assets = join(folder, 'bake.out', 'assets');
  mkdirSync(assets, { recursive: true });
  const stage = async (path: string) => (await stageAsset({ pending: path }, folder, assets)).$asset;
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
