import { join } from 'node:path';
import t from 'tap';
import { inRoot } from '../../../lib/platforms/rootfs/engine/linux/in-root.js';

t.test('a path of a tree is followed as a process inside would follow it', async (t) => {
  const root = t.testdir({
    etc: { 'resolv.conf': t.fixture('symlink', '/run/stub.conf'), up: t.fixture('symlink', '../../../../../usr') },
    lib: t.fixture('symlink', 'usr/lib'),
    usr: { lib: { file: 'x', back: t.fixture('symlink', '../../etc') } },
    proc: t.fixture('symlink', '/etc'),
    loop: t.fixture('symlink', 'loop'),
  });
  const cases = {
    '/etc/passwd': 'etc/passwd', 'etc/resolv.conf': 'run/stub.conf', 'lib/file': 'usr/lib/file', 'etc/up/lib': 'usr/lib',
    'lib/back/passwd': 'etc/passwd', '../../etc': 'etc', proc: 'etc', '/': '', 'not/there/yet': 'not/there/yet',
  };
  for (const [path, expected] of Object.entries(cases)) t.equal(await inRoot(root, path), join(root, expected), path);
  await t.rejects(inRoot(root, 'loop/x'), /in a circle/);
});
