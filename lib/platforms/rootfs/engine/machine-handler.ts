import { dirname, join } from 'node:path';
import type * as z from 'zod';
import type { ChrootConnection } from '../../../communicators/chroot/connection.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import type { rootfsMachine } from '../steps.js';
import type { RootfsPort, RunningMachine } from './rootfs-port.js';

type MachineSpec = z.output<(typeof rootfsMachine)['spec']>;

export type MachineHandle = {
  readonly connection: ChrootConnection;
  /** The token. */
  readonly id: string;
  readonly init: number;
  readonly initStart: string;
};

const memoryArchive = 'memory.tar';

/** Holds a tree in namespaces while it is provisioned. A machine never outlives the process that started it. */
export function machineHandler(port: RootfsPort): ResourceHandler<MachineSpec, MachineHandle> {
  const start = async (spec: MachineSpec, ctx: StepContext): Promise<RunningMachine> => {
    await port.end(ctx.token, ctx);
    return port.start(spec.tree, { hostname: spec.hostname, scratch: join(dirname(spec.tree), 'tmp') }, ctx);
  };
  return {
    acquire: async (spec, ctx) => handleOf(ctx.token, spec, await start(spec, ctx)),
    // The tree is saved by itself. What runs would not come back.
    checkpoint: {
      alone: [memoryArchive],
      async save({ init, initStart, connection: { rootless } }, { folder }, ctx) {
        const machine = { init, initStart, rootless };
        if (await port.isBusy(machine)) return undefined;
        await port.saveMemory(machine, join(folder, memoryArchive), ctx);
        return {};
      },
      async restore({ folder }, spec, ctx) {
        const machine = await start(spec, ctx);
        await port.fillMemory(machine, join(folder, memoryArchive), ctx);
        return handleOf(ctx.token, spec, machine);
      },
    },
    async find(token, spec, ctx) {
      const machine = await port.findMachine(token, ctx);
      return machine === undefined ? undefined : handleOf(token, spec, machine);
    },
    release: (_handle, ctx) => port.end(ctx.token, ctx),
  };
}

function handleOf(token: string, { tree, clampTime }: MachineSpec, { init, initStart, rootless }: RunningMachine): MachineHandle {
  // Programs that write dates into files take this one, so that they write the same one next time. Nobody is there to
  // answer a package's questions.
  const env = { SOURCE_DATE_EPOCH: String(clampTime), DEBIAN_FRONTEND: 'noninteractive' };
  return { connection: { kind: 'chroot', root: tree, init, initStart, rootless, env }, id: token, init, initStart };
}
