import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Artifact } from '../../../lib/core/artifact.js';
import { directoryHandler } from '../../../lib/platforms/rootfs/engine/directory-handler.js';
import { machineHandler } from '../../../lib/platforms/rootfs/engine/machine-handler.js';
import { ociHandler } from '../../../lib/platforms/rootfs/engine/oci-handler.js';
import type { RootfsPort, TreeSpec } from '../../../lib/platforms/rootfs/engine/rootfs-port.js';
import { sealHandler } from '../../../lib/platforms/rootfs/engine/seal-handler.js';
import { tarballHandler } from '../../../lib/platforms/rootfs/engine/tarball-handler.js';
import { treeHandler, treeFolder } from '../../../lib/platforms/rootfs/engine/tree-handler.js';
import { stepContext, type TestContextOptions } from './step-context.js';

export interface RootfsSubject {
  readonly port: RootfsPort;
  /** A folder with room for trees. */
  readonly project: string;
  /** Packs these files into an archive; there is nothing else in it. */
  readonly makeArchive: (files: Readonly<Record<string, string>>) => Promise<string>;
}

const clampTime = 946_684_800;

/** What every computer that holds root trees promises, seen through the handlers. */
export async function rootfsContract(t: Test, { port, project, makeArchive }: RootfsSubject): Promise<void> {
  // A shell must be there, but none is run here: what runs in a machine is the communicator's contract.
  const archive = await makeArchive({ 'bin/sh': 'shell', 'etc/os-release': 'tiny' });
  const trees = treeHandler(port);
  const machines = machineHandler(port);
  const context = (name: string, more: Partial<TestContextOptions> = {}) => stepContext({ project, name, ...more });
  const exists = (path: string) => stat(path).then(() => true, () => false);
  const machineSpec = (tree: string) => ({ tree, hostname: 'localhost', clampTime });
  let count = 0;

  /** A tree of its own for one test, removed at its end. */
  const withTree = async (t: Test, spec: Omit<TreeSpec, 'clampTime'> = { tarball: archive }) => {
    const ctx = context(`tree ${++count}`);
    const handle = await trees.acquire({ ...spec, clampTime }, ctx);
    t.teardown(() => trees.release(handle, ctx));
    return handle;
  };

  await t.test('this computer can do it', async (t) => {
    await t.resolves(trees.check!({ tarball: archive, clampTime }, context('check')));
    await t.rejects(trees.check!({ tarball: 'no-such.tar', clampTime }, context('check')), { code: 'FileNotFound' });
  });

  await t.test('a tree is made, found by its token, and removed as often as one likes', async (t) => {
    const ctx = context('tree');
    const spec = { tarball: archive, clampTime };
    t.equal(await trees.find(ctx.token, spec, ctx), undefined);
    const handle = await trees.acquire(spec, ctx);
    t.ok(await exists(join(handle.tree, 'bin/sh')));
    t.equal((await stat(handle.folder)).mode & 0o077, 0, 'other users of this computer do not reach into it');
    t.same(await trees.find(ctx.token, spec, ctx), handle);
    await trees.release(handle, ctx);
    t.notOk(await exists(handle.folder));
    t.equal(await trees.find(ctx.token, spec, ctx), undefined);
    await t.resolves(trees.release(handle, ctx));
  });

  await t.test('a tree that failed half way is found and removed', async (t) => {
    const ctx = context('half');
    const broken = join(project, 'broken.tar');
    await writeFile(broken, 'this is a letter, not an archive');
    const spec = { tarball: broken, clampTime };
    await t.rejects(trees.acquire(spec, ctx), { code: 'RootfsTarballInvalid', message: /broken\.tar/ });
    const found = await trees.find(ctx.token, spec, ctx);
    t.ok(found);
    await trees.release(found!, ctx);
    t.notOk(await exists(treeFolder(project, ctx.token)));
  });

  await t.test('making a tree again starts anew', async (t) => {
    const ctx = context('again');
    const first = await trees.acquire({ tarball: archive, clampTime }, ctx);
    await writeFile(join(first.tree, 'left-over'), 'x');
    const second = await trees.acquire({ tarball: archive, clampTime }, ctx);
    t.same(second, first);
    t.notOk(await exists(join(second.tree, 'left-over')));
    await trees.release(second, ctx);
  });

  await t.test('what is aborted rejects with the reason, and leaves nothing that is not found', async (t) => {
    const abort = new AbortController();
    const ctx = context('aborted', { signal: abort.signal });
    const making = trees.acquire({ tarball: archive, clampTime }, ctx);
    abort.abort(new Error('stop it'));
    await t.rejects(making, { message: 'stop it' });
    const after = context('aborted');
    const found = await trees.find(after.token, { tarball: archive, clampTime }, after);
    if (found !== undefined) await trees.release(found, after);
    t.notOk(await exists(treeFolder(project, after.token)));
  });

  await t.test('archives that lead out of the tree, or are empty, are refused', async (t) => {
    const archives: readonly Readonly<Record<string, string>>[] = [{ '../escaped': 'x' }, { 'etc/../../../escaped': 'x' }, {}];
    for (const files of archives) {
      const ctx = context(`hostile ${JSON.stringify(files)}`);
      const spec = { tarball: await makeArchive(files), clampTime };
      await t.rejects(trees.acquire(spec, ctx), { code: 'RootfsTarballInvalid' });
      await trees.release((await trees.find(ctx.token, spec, ctx))!, ctx);
    }
    t.notOk(await exists(join(project, 'escaped')));
    t.notOk(await exists(join(project, '.bake/rootfs/escaped')));
  });

  await t.test('a machine is found by its token, and ended as often as one likes', async (t) => {
    const { tree } = await withTree(t);
    const ctx = context('machine');
    const handle = await machines.acquire(machineSpec(tree), ctx);
    t.match(handle, { id: ctx.token, connection: { kind: 'chroot', root: tree } });
    t.same(await machines.find(ctx.token, machineSpec(tree), ctx), handle);
    await machines.release(handle, ctx);
    t.equal(await machines.find(ctx.token, machineSpec(tree), ctx), undefined);
    await t.resolves(machines.release(handle, ctx));
  });

  await t.test('a tree without a shell has no machine', async (t) => {
    const { tree } = await withTree(t, { tarball: await makeArchive({ 'rootfs/bin/sh': 'one folder too deep' }) });
    const ctx = context('no shell');
    await t.rejects(machines.acquire(machineSpec(tree), ctx), { code: 'MachineStartFailed', hint: /at its top/ });
    t.equal(await machines.find(ctx.token, machineSpec(tree), ctx), undefined);
  });

  await t.test('sealing removes what building left', async (t) => {
    const { tree } = await withTree(t);
    const ctx = context('sealed machine');
    const machine = await machines.acquire(machineSpec(tree), ctx);
    for (const folder of ['tmp', 'var/log', 'var/tmp', 'var/lib/apt/lists', 'etc']) await mkdir(join(tree, folder), { recursive: true });
    for (const path of ['tmp/x', 'var/tmp/x', 'var/lib/apt/lists/x', 'var/log/x', 'etc/machine-id', 'etc/kept']) await writeFile(join(tree, path), 'text');
    const { init, initStart } = machine;
    await sealHandler(port).run({ tree, init, initStart, cleanPackageCache: true, clearLogs: true }, context('seal'));
    for (const gone of ['tmp/x', 'var/tmp/x', 'var/lib/apt/lists/x']) t.notOk(await exists(join(tree, gone)), gone);
    for (const empty of ['var/log/x', 'etc/machine-id']) t.equal((await stat(join(tree, empty))).size, 0, empty);
    t.equal(await readFile(join(tree, 'etc/kept'), 'utf8'), 'text');
    await t.resolves(sealHandler(port).run({ tree, init, initStart, cleanPackageCache: true, clearLogs: true }, context('seal')), 'twice is once');
    await machines.release(machine, ctx);
    await t.resolves(sealHandler(port).run({ tree, init, initStart, cleanPackageCache: true, clearLogs: true }, context('seal')), 'without a machine too');
  });

  await t.test('the same tree gives the same bytes, whenever it was made', async (t) => {
    const outputs = tarballHandler(port);
    const pack = async (path: string, at: number) => {
      const { tree } = await withTree(t);
      await writeFile(join(tree, 'etc/new'), 'new');
      await utimes(join(tree, 'etc/new'), at, at);
      const ctx = context(path);
      const handle = await outputs.acquire({ tree, path, clampTime }, ctx);
      t.match(handle.artifact, { type: 'rootfs.tarball', id: join(project, path), files: [{ path: join(project, path) }] });
      t.same((await readdir(project)).filter((name) => name.endsWith('.part')), [], 'no half file');
      return readFile(join(project, path));
    };
    const first = await pack('first.tar', 1_700_000_000);
    const second = await pack('second.tar', 1_800_000_000.5);
    t.ok(first.equals(second));
  });

  await t.test('what was made is the base of the next', async (t) => {
    const { tree } = await withTree(t);
    await writeFile(join(tree, 'etc/chain'), 'first');
    const outputs = {
      tarball: [tarballHandler(port), { tree, path: 'chain.tar', clampTime }],
      directory: [directoryHandler(port), { tree, path: 'chain', clampTime }],
      oci: [ociHandler(port), { tree, path: 'chain.oci', clampTime, compression: 'none' as const }],
    } as const;
    for (const [name, [handler, spec]] of Object.entries(outputs)) {
      const ctx = context(`chain ${name}`);
      const { artifact, path } = await (handler as ReturnType<typeof tarballHandler>).acquire(spec as never, ctx);
      const next = await withTree(t, { artifact });
      t.equal(await readFile(join(next.tree, 'etc/chain'), 'utf8'), 'first', name);
      const found = await (handler as ReturnType<typeof tarballHandler>).find(ctx.token, spec as never, ctx);
      t.equal(found?.path, path);
      await handler.release({ path, artifact }, ctx);
      t.notOk(await exists(path), `${name} is removed if its build fails`);
      t.equal(await handler.find(ctx.token, spec as never, ctx), undefined);
    }
  });

  await t.test('an artifact of another kind is refused with what to give', async (t) => {
    const artifact: Artifact = { type: 'docker.image', id: 'sha256:1', title: 'web:1', files: [], data: {} };
    const ctx = context('kind');
    await t.rejects(trees.acquire({ artifact, clampTime }, ctx), { code: 'ArtifactUnsupported', hint: /docker\.export/ });
    await trees.release((await trees.find(ctx.token, { artifact, clampTime }, ctx))!, ctx);
  });

  await t.test('a file that bake did not make is not replaced', async (t) => {
    const { tree } = await withTree(t);
    await writeFile(join(project, 'precious.tar'), 'precious');
    const ctx = context('precious');
    const spec = { tree, path: 'precious.tar', clampTime };
    await t.rejects(tarballHandler(port).acquire(spec, ctx), { code: 'OutputExists' });
    t.equal(await tarballHandler(port).find(ctx.token, spec, ctx), undefined);
    t.equal(await readFile(join(project, 'precious.tar'), 'utf8'), 'precious');
  });

  await t.test('nothing is left of all this', async (t) => {
    t.same(await readdir(join(project, '.bake/rootfs')).catch(() => []), []);
  });
}
