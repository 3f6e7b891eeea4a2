import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { BakeError } from '../../../lib/core/bake-error.js';
import { FakeRootfs } from '../../../lib/platforms/rootfs/engine/fake-rootfs.js';
import { machineHandler } from '../../../lib/platforms/rootfs/engine/machine-handler.js';
import { tarballHandler } from '../../../lib/platforms/rootfs/engine/tarball-handler.js';
import { treeHandler } from '../../../lib/platforms/rootfs/engine/tree-handler.js';
import { rootfsContract } from './rootfs-contract.js';
import { stepContext } from './step-context.js';

const clampTime = 946_684_800;

t.test('the fake keeps the contract', async (t) => {
  const project = t.testdir({});
  let count = 0;
  await rootfsContract(t, {
    port: new FakeRootfs(), project,
    async makeArchive(files) {
      const path = join(project, `made-${++count}.json`);
      await writeFile(path, JSON.stringify(files));
      return path;
    },
  });
});

t.test('a suite is made through the port, and an unknown one says so', async (t) => {
  const project = t.testdir({});
  const port = new FakeRootfs();
  const trees = treeHandler(port);
  const ctx = stepContext({ project, name: 'tree' });
  const { tree, folder, base } = await trees.acquire({ suite: 'bookworm', packages: ['nginx-light'], clampTime }, ctx);
  t.equal(base, 'bookworm');
  t.ok((await stat(join(tree, 'usr/share/doc/nginx-light/copyright'))).isFile());
  t.same(await readdir(join(folder, 'tmp')), [], 'nothing of the making stays');
  await t.rejects(trees.acquire({ suite: 'bookwurm', clampTime }, ctx), { code: 'RootfsBootstrapFailed' });
  await trees.release({ tree, folder, base }, ctx);
  t.same(await readdir(join(project, '.bake')), []);
});

t.test('a tree with something mounted in it is not removed', async (t) => {
  const project = t.testdir({});
  const port = new FakeRootfs();
  const trees = treeHandler(port);
  const ctx = stepContext({ project, name: 'tree' });
  const handle = await trees.acquire({ suite: 'bookworm', clampTime }, ctx);
  port.mounts.add(join(handle.tree, 'mnt'));
  await t.rejects(trees.release(handle, ctx), { code: 'TreeMounted' });
  t.ok((await stat(handle.tree)).isDirectory());
  port.mounts.clear();
  await trees.release(handle, ctx);
});

t.test('a machine does not outlive the process that started it', async (t) => {
  const project = t.testdir({});
  const port = new FakeRootfs();
  const treeContext = stepContext({ project, name: 'tree' });
  const { tree } = await treeHandler(port).acquire({ suite: 'bookworm', clampTime }, treeContext);
  const ctx = stepContext({ project, name: 'machine' });
  const spec = { tree, hostname: 'localhost', clampTime };
  const handle = await machineHandler(port).acquire(spec, ctx);
  port.crash();
  t.equal(await machineHandler(port).find(ctx.token, spec, ctx), undefined);
  await t.resolves(machineHandler(port).release(handle, ctx));
});

t.test('a pack that fails leaves no half file under any name once it is released', async (t) => {
  const project = t.testdir({});
  const port = new FakeRootfs();
  const { tree } = await treeHandler(port).acquire({ suite: 'bookworm', clampTime }, stepContext({ project, name: 'tree' }));
  const ctx = stepContext({ project, name: 'tarball' });
  const spec = { tree, path: 'out.tar', clampTime };
  port.failNext('pack', new BakeError({ code: 'DiskFull', message: 'the disk is full' }));
  await t.rejects(tarballHandler(port).acquire(spec, ctx), { code: 'DiskFull' });
  const found = await tarballHandler(port).find(ctx.token, spec, ctx);
  t.ok(found, 'the half file is found');
  await tarballHandler(port).release(found!, ctx);
  t.same((await readdir(project)).filter((name) => name !== '.bake'), []);
});

t.test('a removal that was killed after the tree itself was gone leaves no empty folder', async (t) => {
  const project = t.testdir({ '.bake': { rootfs: {} } });
  const ctx = stepContext({ project, name: 'tree' });
  t.equal(await treeHandler(new FakeRootfs()).find(ctx.token, { suite: 'bookworm', clampTime }, ctx), undefined);
  t.same(await readdir(join(project, '.bake')), []);
});
