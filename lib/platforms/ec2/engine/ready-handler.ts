import type * as z from 'zod';
import { BakeError } from '../../../core/bake-error.js';
import type { ActionHandler } from '../../../engine/handler.js';
import type { ec2Ready } from '../steps.js';
import { requireAlive } from './instance-handler.js';
import type { RegionFor } from './region.js';

/** Milliseconds before its state is asked for: most let somebody in before it matters. */
const patience = 2_000;

/** Waits until somebody can log in, while it is looked whether the instance is still alive. */
export function readyHandler(regionFor: RegionFor): ActionHandler<z.output<(typeof ec2Ready)['spec']>, Record<string, never>> {
  return {
    async run({ access, instanceId, connection }, ctx) {
      const over = new AbortController();
      const done = new AbortController();
      const watched = regionFor(access).instances.until(instanceId, (now) => { requireAlive(now); return false; }, { clock: ctx.clock, signal: AbortSignal.any([ctx.signal, done.signal]) }, patience);
      watched.catch((error: unknown) => over.abort(error));
      try {
        const machine = await ctx.connect(connection, over.signal);
        await machine.exec({ command: 'exit 0', signal: ctx.signal });
        return {};
      } catch (error) {
        ctx.signal.throwIfAborted();
        if (over.signal.aborted) throw over.signal.reason;
        throw BakeError.from(error);
      } finally {
        done.abort();
      }
    },
  };
}
