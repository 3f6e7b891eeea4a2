import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { DigestCache } from '../../lib/assembly/digest-cache.js';
import { entryDigest } from '../../lib/assembly/entry-digest.js';
import { fileState } from '../../lib/assembly/file-state.js';
import { stageAsset } from '../../lib/assembly/stage-asset.js';
import { sha256 } from '../../lib/core/json.js';

/** Long after the files of a test were written. */
const later = () => Date.now() + 3_600_000;

function project(t: Test, files: Parameters<typeof t.testdir>[0]) {
  const folder = t.testdir(files);
  const assets = join(folder, 'bake.out', 'assets');
  mkdirSync(assets, { recursive: true });
  const stage = async (path: string, now = later) => (await stageAsset({ pending: path }, { project: folder, folder: assets, now })).$asset;
  const remembered = () => {
    const digests = join(folder, '.bake', 'digests');
    return readdirSync(digests).map((name) => join(digests, name));
  };
  return { folder, assets, stage, remembered };
}

t.test('what did not change is not read again', async (t) => {
  const { folder, assets, stage, remembered } = project(t, { file: 'real', dir: { a: 'real', b: 'b' } });
  await stage('file');
  await stage('dir');
  // Only who believes the cache says so.
  const other = sha256('fake');
  for (const file of remembered()) writeFileSync(file, readFileSync(file, 'utf8').replaceAll(sha256('real'), other));
  const digest = entryDigest('file', statSync(join(folder, 'file')).mode, other);
  writeFileSync(join(assets, digest), 'fake');
  t.equal((await stage('file')).digest, digest);
  const believed = await stage('dir');
  t.equal(readFileSync(join(assets, believed.digest, 'a'), 'utf8'), 'real', 'what is copied is read, and named after what was read');
});

t.test('with the cache each change gives the digest that it gives without', async (t) => {
  const { folder, assets, stage } = project(t, { dir: { a: '1', 7: '7', sub: { b: '2', c: '3', d: '4' } } });
  const file = (name: string) => join(folder, 'dir', name);
  const seen = new Set<string>();
  const same = async (what: string) => {
    const { digest } = await stage('dir');
    rmSync(join(folder, '.bake'), { recursive: true });
    t.equal((await stage('dir')).digest, digest, what);
    seen.add(digest);
    return digest;
  };
  await same('as it was');
  const { atime, mtime } = statSync(file('a'));
  writeFileSync(file('a'), '9');
  utimesSync(file('a'), atime, mtime);
  t.equal(readFileSync(join(assets, await same('the same size and an old time'), 'a'), 'utf8'), '9');
  chmodSync(file('a'), 0o700);
  await same('a mode');
  writeFileSync(file('__proto__'), 'x');
  await same('a new file');
  rmSync(file('sub/c'));
  await same('a file less');
  t.equal(seen.size, 5);
});

t.test('a file that changed a moment ago is not trusted', async (t) => {
  const { folder, stage, remembered } = project(t, { file: 'x' });
  await stage('file', Date.now);
  t.throws(remembered, { code: 'ENOENT' });
  const state = fileState(statSync(join(folder, 'file')));
  const cache = await DigestCache.open(folder, join(folder, 'file'));
  cache.set('', { hash: sha256('x'), size: 1, state }, state.ctimeMs + 1_900);
  await cache.save();
  t.throws(remembered, { code: 'ENOENT' });
  cache.set('', { hash: sha256('x'), size: 1, state }, state.ctimeMs + 2_100);
  await cache.save();
  const again = await DigestCache.open(folder, join(folder, 'file'));
  t.equal(again.get('', state), sha256('x'));
  for (const part of ['dev', 'ino', 'size', 'mtimeMs', 'ctimeMs'] as const) t.equal(again.get('', { ...state, [part]: state[part] + 1 }), undefined, part);
});

t.test('a file of the kernel, whose size is not that of its content, is not remembered', async (t) => {
  const { folder, remembered } = project(t, {});
  const cache = await DigestCache.open(folder, '/proc/version');
  cache.set('', { hash: sha256('x'), size: 1, state: { dev: 1, ino: 1, size: 4096, mtimeMs: 1, ctimeMs: 1, mode: 0o100644 } }, 1e12);
  await cache.save();
  t.throws(remembered, { code: 'ENOENT' });
});

t.test('a cache that is damaged counts for nothing', async (t) => {
  const { stage, remembered } = project(t, { file: 'x' });
  const { digest } = await stage('file');
  const [path = ''] = remembered();
  const whole = readFileSync(path, 'utf8');
  for (const text of ['', '{', 'null', '[]', '{"version":1}', '{"version":1,"files":[1]}', '{"version":1,"files":{"":null}}', whole.replace('"version":1', '"version":2'), whole.replace(/"hash":"[^"]*"/, '"hash":"../../etc"'), whole.slice(0, -20)]) {
    writeFileSync(path, text);
    t.equal((await stage('file')).digest, digest, text);
    t.equal(readFileSync(path, 'utf8'), whole, 'and is replaced');
  }
});

t.test('where nothing can be remembered, all is read', async (t) => {
  const { folder, stage } = project(t, { file: 'x', '.bake': { digests: 'a file' } });
  const { digest } = await stage('file');
  t.equal((await stage('file')).digest, digest);
  t.equal(readFileSync(join(folder, '.bake/digests'), 'utf8'), 'a file');
});

t.test('what is gone from the folder is gone from the cache, and the cache of one asset is not that of another', async (t) => {
  const { folder, stage, remembered } = project(t, { dir: { a: '1', b: '2' }, file: '3' });
  await stage('dir');
  await stage('file');
  t.equal(remembered().length, 2);
  rmSync(join(folder, 'dir/b'));
  await stage('./dir/');
  t.equal(remembered().length, 2);
  t.notMatch(remembered().map((path) => readFileSync(path, 'utf8')).join(), /"b"/);
});

t.test('a folder that is written anew with what it held is not copied again', async (t) => {
  const { folder, assets, stage } = project(t, { dir: { a: '1', b: '2' } });
  const { digest } = await stage('dir');
  const made = statSync(join(assets, digest)).ctimeMs;
  const changed = statSync(assets).mtimeMs;
  for (const now of [later, Date.now, Date.now]) { // remembered, and not
    for (const name of ['a', 'b']) {
      rmSync(join(folder, 'dir', name));
      writeFileSync(join(folder, 'dir', name), name === 'a' ? '1' : '2');
    }
    t.equal((await stage('dir', now)).digest, digest);
    t.same([statSync(join(assets, digest)).ctimeMs, statSync(assets).mtimeMs], [made, changed], 'nothing was made in the stage meanwhile');
  }
  writeFileSync(join(folder, 'dir/a'), '9');
  t.equal(readFileSync(join(assets, (await stage('dir', Date.now)).digest, 'a'), 'utf8'), '9');
});
