import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { copyHashed } from '../../lib/assembly/copy-hashed.js';
import { fileState } from '../../lib/assembly/file-state.js';
import { sha256 } from '../../lib/core/json.js';

const stateOf = (path: string) => fileState(statSync(path));

t.test('small, large and empty files are copied as they are', async (t) => {
  const folder = t.testdir({});
  for (const size of [0, 1, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 1024 * 1024, 3 * 1024 * 1024 + 7]) {
    const [path, copy] = [join(folder, `of-${size}`), join(folder, `copy-${size}`)];
    const content = Buffer.from(Array.from({ length: size }, (_, index) => (index * 31 + (index >> 8)) & 0xff));
    writeFileSync(path, content, { mode: 0o751 });
    const hashed = await copyHashed(path, stateOf(path), { path: copy, modeMask: 0o777 });
    t.same({ hash: hashed.hash, size: hashed.size }, { hash: sha256(content), size });
    t.ok(readFileSync(copy).equals(content), `${size} bytes`);
    t.equal(statSync(copy).mode & 0o7777, statSync(path).mode & 0o777);
    t.equal((await copyHashed(path, stateOf(path), undefined)).hash, hashed.hash, 'and hashed without a copy');
  }
});

t.test('a file that changed since it was found is read as it is now', async (t) => {
  const folder = t.testdir({ file: 'old' });
  const path = join(folder, 'file');
  for (const content of ['grown larger', 'x', 'large'.repeat(200_000)]) {
    const found = stateOf(path);
    writeFileSync(path, content);
    const copy = join(folder, `copy-${content.length}`);
    const { hash, state } = await copyHashed(path, found, { path: copy, modeMask: 0o777 });
    t.equal(hash, sha256(content));
    t.equal(readFileSync(copy, 'utf8'), content);
    t.same(state, stateOf(path));
  }
});

t.test('a file that changes while it is read is read again', async (t) => {
  const folder = t.testdir({ file: 'x'.repeat(8 * 1024 * 1024) });
  const [path, copy] = [join(folder, 'file'), join(folder, 'copy')];
  const copied = copyHashed(path, stateOf(path), { path: copy, modeMask: 0o777 });
  await setImmediate();
  appendFileSync(path, 'y');
  t.equal((await copied).hash, sha256(readFileSync(path)));
  t.ok(readFileSync(copy).equals(readFileSync(path)));
});

t.test('a file that does not come to rest is refused', async (t) => {
  const folder = t.testdir({ file: 'x'.repeat(1024 * 1024) });
  const path = join(folder, 'file');
  let isOver = false;
  const refused = t.rejects(copyHashed(path, stateOf(path), { path: join(folder, 'copy'), modeMask: 0o777 }), { code: 'FileChanging', message: /file" changes/ }).finally(() => { isOver = true; });
  while (!isOver) {
    appendFileSync(path, 'y');
    await setImmediate();
  }
  await refused;
});

t.test('what cannot be read or written fails', async (t) => {
  const folder = t.testdir({ file: 'x', large: 'x'.repeat(2 * 1024 * 1024) });
  for (const name of ['file', 'large']) {
    const path = join(folder, name);
    await t.rejects(copyHashed(path, stateOf(path), { path: join(folder, 'nowhere', 'copy'), modeMask: 0o777 }), { code: 'ENOENT' });
    await t.rejects(copyHashed(join(folder, 'gone'), stateOf(path), undefined), { code: 'ENOENT' });
    await t.rejects(copyHashed(path, stateOf(path), { path, modeMask: 0o777 }), { code: 'EEXIST' }, 'never over something');
    t.ok(existsSync(path) && statSync(path).size > 0);
  }
  const path = join(folder, 'large');
  if (existsSync('/dev/full')) await t.rejects(copyHashed(path, stateOf(path), { path: '/dev/full', modeMask: 0o777 }), { code: 'EEXIST' });
});
