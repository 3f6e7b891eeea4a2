import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Communicator } from '../../../lib/core/communicator.js';
import { openChroot } from '../../../lib/communicators/chroot/engine/open-chroot.js';
import { linuxRootfs } from '../../../lib/platforms/rootfs/engine/linux/linux-rootfs.js';
import { type MachineHandle, machineHandler } from '../../../lib/platforms/rootfs/engine/machine-handler.js';
import { treeHandler } from '../../../lib/platforms/rootfs/engine/tree-handler.js';
import { systemClock } from '../../../lib/toolkit/host/clock.js';
import { systemExec } from '../../../lib/toolkit/host/exec.js';
import { stepContext } from '../../platforms/rootfs/step-context.js';
import { baseTarball } from '../../support/base-tarball.js';

export interface DebianMachine {
  readonly communicator: Communicator;
  readonly machine: MachineHandle;
  readonly tree: string;
  readonly project: string;
  /** Ends the machine as a lack of memory would. */
  kill(): Promise<void>;
}

/** A Debian in namespaces, removed at the test's end. */
export async function debianMachine(t: Test): Promise<DebianMachine> {
  const project = await mkdtemp(join(tmpdir(), 'bake-chroot-'));
  await mkdir(project, { recursive: true });
  const treeContext = stepContext({ project, name: 'tree' });
  const machineContext = stepContext({ project, name: 'machine' });
  const trees = treeHandler(linuxRootfs);
  const machines = machineHandler(linuxRootfs);
  const treeHandle = await trees.acquire({ tarball: await baseTarball(), clampTime: 946_684_800 }, treeContext);
  const machine = await machines.acquire({ tree: treeHandle.tree, hostname: 'bake-test', clampTime: 946_684_800 }, machineContext);
  const communicator = await openChroot(machine.connection, { exec: systemExec(), clock: systemClock, signal: new AbortController().signal, tmp: project, log: () => {} });
  t.teardown(async () => {
    await communicator.close();
    await machines.release(machine, machineContext);
    await trees.release(treeHandle, treeContext);
    await rm(project, { recursive: true, force: true });
  });
  return { communicator, machine, tree: treeHandle.tree, project, kill: () => machines.release(machine, machineContext) };
}
