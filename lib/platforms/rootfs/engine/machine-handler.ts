import { dirname, join } from 'node:path';
import type * as z from 'zod';
import type { ChrootConnection } from '../../../communicators/chroot/connection.js';
import type { ResourceHandler } from '../../../engine/handler.js';
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

/** Holds a tree in namespaces while it is provisioned. A machine never outlives the process that started it. */
export function machineHandler(port: RootfsPort): ResourceHandler<MachineSpec, MachineHandle> {
  return {
    async acquire(spec, ctx) {
      await port.end(ctx.token, ctx);
      const scratch = join(dirname(spec.tree), 'tmp');
      return handleOf(ctx.token, spec, await port.start(spec.tree, { hostname: spec.hostname, scratch }, ctx));
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
