import t from 'tap';
import { servedPath } from '../../../lib/vm/http-server/served-path.js';

t.test('a path has one way to be written', async (t) => {
  for (const path of ['a/b.cfg', '/a/b.cfg', '//a//b.cfg', './a/./b.cfg']) t.equal(servedPath(path), '/a/b.cfg', path);
  t.equal(servedPath('/.hidden/..data'), '/.hidden/..data');
});

t.test('what leads out or is no file is no path', async (t) => {
  for (const path of ['', '/', '.', '..', '../a', '/a/../../b', 'a/..', 'a/', 'a\\b', '..\\a', 'a\0b', 'a\nb']) t.equal(servedPath(path), undefined, JSON.stringify(path));
});
