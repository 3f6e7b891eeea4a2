import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tmpdir } from 'node:os';
import t from 'tap';
import { linuxRootfs } from '../../../lib/platforms/rootfs/engine/linux/linux-rootfs.js';
import { need } from '../../support/need.js';
import { rootfsContract } from './rootfs-contract.js';
import { writeTar } from './write-tar.js';

t.test('this computer keeps the contract', async (t) => {
  if (!(await need(t, 'namespaces'))) return;
  const project = await mkdtemp(join(tmpdir(), 'bake-rootfs-contract-'));
  t.teardown(() => rm(project, { recursive: true, force: true }));
  let count = 0;
  await rootfsContract(t, {
    port: linuxRootfs, project,
    async makeArchive(files) {
      const path = join(project, `made-${++count}.tar`);
      await writeFile(path, await writeTar(Object.entries(files).map(([name, content]) => ({ name, content }))));
      return path;
    },
  });
  const { stdout } = await promisify(execFile)('cat', ['/proc/self/mountinfo']);
  t.notMatch(stdout, project, 'no mount was ever made here');
});
