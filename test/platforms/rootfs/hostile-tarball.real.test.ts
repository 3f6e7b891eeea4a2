import { execFile } from 'node:child_process';
import { access, lstat, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { linuxRootfs as port } from '../../../lib/platforms/rootfs/engine/linux/linux-rootfs.js';
import { treeHandler } from '../../../lib/platforms/rootfs/engine/tree-handler.js';
import { need } from '../../support/need.js';
import { stepContext } from './step-context.js';
import { type TarEntry, writeTar } from './write-tar.js';

const run = promisify(execFile);
const shell: TarEntry = { name: './bin/sh', mode: 0o755, content: 'shell' };
const exists = (path: string) => access(path).then(() => true, () => false);

/** A tree made of these entries, with the project around it. */
async function unpacked(t: Test, entries: readonly TarEntry[], name = 'base.tar', pack: (path: string) => Promise<unknown> = async () => {}) {
  const project = await mkdtemp(join(tmpdir(), 'bake-rootfs-hostile-'));
  t.teardown(() => rm(project, { recursive: true, force: true }));
  await mkdir(join(project, 'outside'));
  await writeFile(join(project, 'outside/secret'), 'of this computer');
  await writeFile(join(project, 'base.tar'), await writeTar(entries));
  await pack(join(project, 'base.tar'));
  const ctx = stepContext({ project, name: 'tree' });
  const handler = treeHandler(port);
  const spec = { tarball: name, clampTime: 0 };
  t.teardown(async () => {
    const found = await handler.find(ctx.token, spec, ctx);
    if (found !== undefined) await handler.release(found, ctx);
  });
  return { project, ctx, made: handler.acquire(spec, ctx) };
}

t.test('a tarball from a stranger', async (t) => {
  if (!(await need(t, 'namespaces')) || !(await need(t, 'tar'))) return;

  await t.test('writes absolute names into the tree', async (t) => {
    const { made } = await unpacked(t, [shell, { name: '/tmp/bake-absolute', content: 'x' }]);
    const { tree } = await made;
    t.notOk(await exists('/tmp/bake-absolute'));
    t.ok(await exists(join(tree, 'tmp/bake-absolute')));
  });

  await t.test('writes nothing through a link that leads out', async (t) => {
    for (const target of ['../../../../outside', '/']) {
      const { project, made } = await unpacked(t, [shell, { name: './way', type: 'symlink', linkname: target }, { name: './way/planted', content: 'x' }]);
      await made.catch(() => {});
      t.notOk(await exists(join(project, 'outside/planted')), target);
      t.notOk(await exists('/planted'), target);
    }
  });

  await t.test('links no file of this computer into the tree', async (t) => {
    const { project, made } = await unpacked(t, [shell, { name: './stolen', type: 'link', linkname: '../../../../outside/secret' }, { name: './passwd', type: 'link', linkname: '/etc/passwd' }]);
    await t.rejects(made, { code: 'RootfsTarballInvalid' });
    t.equal((await lstat(join(project, 'outside/secret'))).nlink, 1);
  });

  await t.test('makes no devices: those in /dev are the kernel\'s, others are left out and named', async (t) => {
    const { ctx, made } = await unpacked(t, [shell, { name: './dev/sda', type: 'block-device', devmajor: 8, devminor: 0 }, { name: './srv/disk', type: 'block-device', devmajor: 8, devminor: 0 }, { name: './srv/file', content: 'kept' }]);
    const { tree } = await made;
    t.notOk(await exists(join(tree, 'dev/sda')));
    t.notOk(await exists(join(tree, 'srv/disk')));
    t.equal(await readFile(join(tree, 'srv/file'), 'utf8'), 'kept');
    t.match(ctx.warnings, [{ code: 'DevicesLeftOut', message: /srv\/disk/ }]);
  });

  await t.test('may be compressed in any way that tar knows', async (t) => {
    for (const [program, name] of [['gzip', 'base.tar.gz'], ['xz', 'base.tar.xz'], ['bzip2', 'base.tar.bz2'], ['zstd', 'base.tar.zst']] as const) {
      if (!(await run(program, ['--version']).then(() => true, () => false))) continue;
      const { made } = await unpacked(t, [shell], name, (path) => run(program, ['-q', '-k', path]));
      t.ok(await exists(join((await made).tree, 'bin/sh')), program);
    }
  });

  await t.test('that is cut off is refused', async (t) => {
    const { made } = await unpacked(t, [shell, { name: './big', content: 'x'.repeat(300_000) }], 'base.tar.gz', async (path) => {
      await run('gzip', ['-k', '-1', path]);
      await writeFile(`${path}.gz`, (await readFile(`${path}.gz`)).subarray(0, 200));
    });
    await t.rejects(made, { code: 'RootfsTarballInvalid', message: /not a whole tar archive|base\.tar\.gz/ });
  });
});

t.test('a tree with something mounted in it is not removed, and what is mounted stays', async (t) => {
  if (!(await need(t, 'namespaces'))) return;
  if (!(await need(t, 'root'))) return;
  const { made, ctx, project } = await unpacked(t, [shell, { name: './mnt/here', type: 'directory' }]);
  const handle = await made;
  await run('mount', ['--bind', join(project, 'outside'), join(handle.tree, 'mnt/here')]);
  try {
    await t.rejects(treeHandler(port).release(handle, ctx), { code: 'TreeMounted', hint: /umount / });
  } finally {
    await run('umount', [join(handle.tree, 'mnt/here')]);
  }
  t.equal(await readFile(join(project, 'outside/secret'), 'utf8'), 'of this computer');
  await treeHandler(port).release(handle, ctx);
  t.notOk(await exists(handle.folder));
});
