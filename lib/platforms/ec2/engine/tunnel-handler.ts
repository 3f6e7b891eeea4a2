import type * as z from 'zod';
import { BakeError } from '../../../core/bake-error.js';
import type { Connection } from '../../../core/communicator.js';
import type { JsonObject } from '../../../core/json.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import type { ec2Tunnel } from '../steps.js';
import { requireAlive } from './instance-handler.js';
import type { RegionFor } from './region.js';
import type { SessionsFor } from './session-port.js';
import { sessionProgram, Tunnel } from './tunnel.js';

type Spec = z.output<(typeof ec2Tunnel)['spec']>;
type Handle = JsonObject & { readonly connection: Connection & JsonObject; readonly port: number };

/** Milliseconds before the instance's state is asked for. */
const patience = 2_000;
/** Of this process: they end with it. Their sessions end with the machine, at the latest. */
const open = new Map<string, Tunnel>();

/** Forwards a port of this computer to the machine, as long as the build goes on. */
export function tunnelHandler(regionFor: RegionFor, sessionsFor: SessionsFor): ResourceHandler<Spec, Handle> {
  return {
    async acquire({ access, instanceId, port, connection }, ctx) {
      const { ec2, instances } = regionFor(access);
      const tunnel = new Tunnel({ sessions: sessionsFor(access), instanceId, port, region: await ec2.region(), profile: access.profile }, ctx);
      open.set(ctx.token, tunnel);
      const done = new AbortController();
      const signal = AbortSignal.any([ctx.signal, done.signal]);
      try {
        const ended = instances.until(instanceId, (now) => { requireAlive(now); return false; }, { clock: ctx.clock, signal }, patience);
        const localPort = await Promise.race([tunnel.opened, ended.then(() => 0)]);
        return { connection: { ...connection, host: '127.0.0.1', port: localPort } as Handle['connection'], port: localPort };
      } finally {
        done.abort();
      }
    },
    find: (token, { connection }) => Promise.resolve(open.has(token) ? { connection: connection as Handle['connection'], port: 0 } : undefined),
    async release(_handle, { token }) {
      await open.get(token)?.close();
      open.delete(token);
    },
    check: (_spec, ctx) => requireProgram(ctx),
    checkKnown: (_known, ctx) => requireProgram(ctx),
  };
}

async function requireProgram({ exec, signal }: Pick<StepContext, 'exec' | 'signal'>): Promise<void> {
  try {
    await exec.run({ command: sessionProgram, args: ['--version'], signal });
  } catch (error) {
    if (!BakeError.is(error) || error.code !== 'CommandNotFound') throw error;
    throw new BakeError({
      code: 'SessionProgramNotFound', message: `address: 'session-manager' needs Amazon's program ${sessionProgram}, which is not on this computer`,
      hint: 'https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html',
    });
  }
}
