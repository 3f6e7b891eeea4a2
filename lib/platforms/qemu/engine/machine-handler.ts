import { stat } from 'node:fs/promises';
import type { Connection } from '../../../core/communicator.js';
import type { JsonObject } from '../../../core/json.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import type { MachineSpec } from '../steps.js';
import { addressOnBridge } from './address-on-bridge.js';
import { controlFolder, removeControlFolder } from './control-folder.js';
import { endProcessesWith, processesWith } from './processes.js';
import type { QmpAddress } from './qmp.js';
import { startMachine } from './start-machine.js';

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
  readonly connection: Connection;
}

/** A QEMU process, found again by its folder's path, which is in its arguments and made of the token. */
export const machineHandler: ResourceHandler<MachineSpec, MachineHandle> = {
  async acquire(spec, ctx) {
    await end(controlFolder(ctx.token), ctx);
    const { folder, qmp, hostPort, ports, serialLog, macAddress, vnc, efiVars } = await startMachine(spec, ctx);
    ctx.log(`serial console: ${serialLog}`, 'info');
    if (vnc !== undefined) ctx.log(`screen: vnc://${vnc}`, 'info');
    const host = spec.netBridge === undefined || spec.connection === undefined ? '127.0.0.1' : await addressOnBridge(macAddress, ctx);
    const port = hostPort ?? spec.guestPort;
    return { id: ctx.token, folder, qmp, host, port, ports, serialLog, vnc: vnc ?? '', efiVars: efiVars ?? '', connection: { ...(spec.connection ?? { kind: 'none' }), host, port } };
  },

  async find(token, _spec, ctx) {
    const folder = controlFolder(token);
    const exists = (await processesWith(folder, ctx.exec)).length > 0 || await isThere(folder);
    return exists ? { id: token, folder, qmp: '', host: '', port: 0, ports: {}, serialLog: '', vnc: '', efiVars: '', connection: { kind: 'none' } } : undefined;
  },

  release: ({ folder }, ctx) => end(folder, ctx),
};

async function end(folder: string, ctx: StepContext): Promise<void> {
  await endProcessesWith(folder, ctx);
  await removeControlFolder(folder);
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(() => true, () => false);
}
