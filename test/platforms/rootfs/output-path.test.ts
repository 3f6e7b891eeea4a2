import t from 'tap';
import { compressionOf, defaultTarball, fileNameOf, leavesFolder } from '../../../lib/platforms/rootfs/output-path.js';

t.test('a construct path becomes a file name that can be foretold', async (t) => {
  t.equal(fileNameOf('Web/Rootfs'), 'Web-Rootfs');
  t.equal(defaultTarball('Web/Rootfs', 'none'), 'bake.artifacts/Web-Rootfs.tar');
  t.equal(defaultTarball('Web/Rootfs', 'zstd'), 'bake.artifacts/Web-Rootfs.tar.zst');
});

t.test('an id is data: it never leaves the folder, and two ids never share a name', async (t) => {
  for (const id of ['../x', '..', '.', 'a;rm -rf ~', '$(id)', 'ü', '-rf', 'a\0b', 'a\nb', 'x'.repeat(400)]) {
    t.match(fileNameOf(id), /^[A-Za-z0-9_][A-Za-z0-9._-]*$/, JSON.stringify(id));
    t.ok(fileNameOf(id).length < 200);
  }
  t.not(fileNameOf('a;b'), fileNameOf('a:b'));
});

t.test('the ending of a path says how it is compressed', async (t) => {
  t.same(['a.tar', 'a.tar.gz', 'a.tgz', 'a.tar.zst', 'a.tar.xz', 'a'].map(compressionOf), ['none', 'gzip', 'gzip', 'zstd', 'xz', 'none']);
});

t.test('a relative path that leaves its folder is told from one that does not', async (t) => {
  for (const path of ['../x', 'a/../../x', './../x', '..']) t.ok(leavesFolder(path), path);
  for (const path of ['x', 'a/../x', './x', '/srv/x', '/../x', 'a/..b']) t.notOk(leavesFolder(path), path);
});
