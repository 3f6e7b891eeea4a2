import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { openChroot } from '../../../lib/communicators/chroot/engine/open-chroot.js';
import { linuxRootfs as port } from '../../../lib/platforms/rootfs/engine/linux/linux-rootfs.js';
import { machineHandler } from '../../../lib/platforms/rootfs/engine/machine-handler.js';
import { sealHandler } from '../../../lib/platforms/rootfs/engine/seal-handler.js';
import { treeHandler } from '../../../lib/platforms/rootfs/engine/tree-handler.js';
import { stepContext } from './step-context.js';

/** The time that all images of these tests are clamped to. */
export const clampTime = 1_600_000_000;

/** A project that is removed at the test's end. */
export async function projectFor(t: Test): Promise<string> {
  const project = await mkdtemp(join(tmpdir(), 'bake-rootfs-image-'));
  t.teardown(() => rm(project, { recursive: true, force: true }));
  return project;
}

/** A tree that was provisioned with these commands and sealed. */
export async function sealedTree(t: Test, project: string, name: string, base: { suite: string; variant: 'minbase' } | { tarball: string }, commands: readonly string[]): Promise<string> {
  const trees = treeHandler(port);
  const machines = machineHandler(port);
  const treeContext = stepContext({ project, name: `${name} tree` });
  const handle = await trees.acquire({ ...base, clampTime }, treeContext);
  t.teardown(() => trees.release(handle, treeContext));
  const { tree } = handle;
  const machineContext = stepContext({ project, name: `${name} machine` });
  const machine = await machines.acquire({ tree, hostname: 'localhost', clampTime }, machineContext);
  t.teardown(() => machines.release(machine, machineContext));
  const { exec, clock, signal } = machineContext;
  const communicator = await openChroot(machine.connection, { exec, clock, signal, tmp: project, log: () => {} });
  for (const command of commands) {
    const lines: string[] = [];
    const { code } = await communicator.exec({ command, onStdout: (line) => { lines.push(line); }, onStderr: (line) => { lines.push(line); } });
    t.equal(code, 0, `${command}: ${lines.slice(-3).join(' | ')}`);
  }
  await communicator.close();
  await sealHandler(port).run({ tree, init: machine.init, initStart: machine.initStart, cleanPackageCache: true, clearLogs: true }, stepContext({ project, name: `${name} seal` }));
  return tree;
}
