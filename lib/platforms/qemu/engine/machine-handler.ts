import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Connection } from '../../../core/communicator.js';
import type { JsonObject } from '../../../core/json.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import type { Disk, MachineSpec } from '../steps.js';
import { addressOnBridge } from './address-on-bridge.js';
import { controlFolder, removeControlFolder } from './control-folder.js';
import { isByChance, kernelPanic } from './kernel-panic.js';
import { machineCheckpoint } from './machine-checkpoint.js';
import { endProcessesWith, processesWith } from './processes.js';
import type { QmpAddress } from './qmp.js';
import { type Resumption, startMachine } from './start-machine.js';

export interface MachineHandle extends JsonObject {
  readonly id: string;
  /** Of its sockets. */
  readonly folder: string;
  readonly qmp: QmpAddress;
  readonly host: string;
  readonly port: number;
  readonly ports: Readonly<Record<string, number>>;
  readonly serialLog: string;
  readonly vnc: string;
  readonly efiVars: string;
  readonly disks: Disk[];
  /** Whether it was brought back from a checkpoint, with its clock of that time. */
  readonly resumed: boolean;
  readonly connection: Connection;
}

/** A QEMU process, found again by its folder's path, which is in its arguments and made of the token. */
export const machineHandler: ResourceHandler<MachineSpec, MachineHandle> = {
  acquire: (spec, ctx) => start(spec, undefined, ctx),
  // Where QEMU has no shell to pass its state to there is nothing to save it with.
  ...(process.platform === 'win32' ? {} : { checkpoint: machineCheckpoint(start) }),
  reads: ({ cds = [], kernel, firmware, netboot }, ctx) => {
    const files = [...cds, kernel?.kernel, kernel?.initrd, firmware?.code, firmware?.vars].filter((path) => typeof path === 'string').map((path) => resolve(ctx.run.project, path));
    return Promise.resolve({ files, ...(netboot === undefined ? {} : { unknown: `what it starts from ${netboot.folder} may have changed` }) });
  },

  async find(token, _spec, ctx) {
    const folder = controlFolder(token);
    const exists = (await processesWith(folder, ctx.exec)).length > 0 || await isThere(folder);
    return exists ? { id: token, folder, qmp: '', host: '', port: 0, ports: {}, serialLog: '', vnc: '', efiVars: '', disks: [], resumed: false, connection: { kind: 'none' } } : undefined;
  },

  release: ({ folder }, ctx) => end(folder, ctx),

  async lost({ serialLog }) {
    const panic = await kernelPanic(serialLog);
    return panic !== undefined && isByChance(panic) ? `its kernel gave up: ${panic}` : undefined;
  },
};

async function end(folder: string, ctx: StepContext): Promise<void> {
  await endProcessesWith(folder, ctx);
  await removeControlFolder(folder);
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(() => true, () => false);
}

async function start(spec: MachineSpec, resumption: Resumption | undefined, ctx: StepContext): Promise<MachineHandle> {
  await end(controlFolder(ctx.token), ctx);
  const { folder, qmp, hostPort, ports, serialLog, macAddress, vnc, efiVars } = await startMachine(spec, resumption, ctx);
  ctx.log(`serial console: ${serialLog}`, 'info');
  if (vnc !== undefined) ctx.log(`screen: vnc://${vnc}`, 'info');
  const host = spec.netBridge === undefined || spec.connection === undefined ? '127.0.0.1' : await addressOnBridge(macAddress, ctx);
  const port = hostPort ?? spec.guestPort;
  return { id: ctx.token, folder, qmp, host, port, ports, serialLog, vnc: vnc ?? '', efiVars: efiVars ?? '', disks: spec.disks, resumed: resumption !== undefined, connection: { ...(spec.connection ?? { kind: 'none' }), host, port } };
}
