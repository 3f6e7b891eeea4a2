import type * as z from 'zod';
import { BakeError } from '../../../core/bake-error.js';
import type { Communicator } from '../../../core/communicator.js';
import { shellQuote } from '../../../core/quote.js';
import type { ActionHandler, StepContext } from '../../../engine/handler.js';
import type { ec2Ready } from '../steps.js';
import type { SendKey } from './aws-instance-connect.js';
import { requireAlive } from './instance-handler.js';
import type { RegionFor } from './region.js';

type Spec = z.output<(typeof ec2Ready)['spec']>;

/** Milliseconds before its state is asked for: most let somebody in before it matters. */
const patience = 2_000;
/** A key that was sent counts for a minute; milliseconds until it is sent again. */
const keyLife = 40_000;

/** Waits until somebody can log in, while it is looked whether the instance is still alive. */
export function readyHandler(regionFor: RegionFor, sendKey: SendKey): ActionHandler<Spec, Record<string, never>> {
  return {
    async run(spec, ctx) {
      const { access, instanceId, connection, sentKey } = spec;
      const over = new AbortController();
      const done = new AbortController();
      const until = AbortSignal.any([ctx.signal, done.signal]);
      const watched = regionFor(access).instances.until(instanceId, (now) => { requireAlive(now); return false; }, { clock: ctx.clock, signal: until }, patience);
      watched.catch((error: unknown) => over.abort(error));
      if (sentKey !== undefined) keepSending(spec, sendKey, ctx, until).catch((error: unknown) => over.abort(error));
      try {
        const machine = await ctx.connect(connection, over.signal);
        await machine.exec({ command: 'exit 0', signal: ctx.signal });
        if (sentKey !== undefined) await letInForGood(sentKey.publicKey, machine, ctx);
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

async function keepSending({ access, instanceId, sentKey }: Spec, sendKey: SendKey, { clock }: StepContext, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await sendKey(access, { instanceId, ...sentKey! }, signal);
      await clock.sleep(keyLife, signal);
    } catch (error) {
      if (signal.aborted) return;
      // A machine that is not yet up takes none.
      if (!BakeError.is(error) || (!error.transient && error.code !== 'Ec2NotFound')) throw error;
      await clock.sleep(patience, signal);
    }
  }
}

/** Provisioners may have to connect again, after a restart of the machine. Tidying takes it out. */
async function letInForGood(key: string, machine: Communicator, { signal }: StepContext): Promise<void> {
  const { code } = await machine.exec({ command: `umask 077; mkdir -p "$HOME/.ssh" && echo ${shellQuote(key)} >> "$HOME/.ssh/authorized_keys"`, signal });
  if (code !== 0) throw new BakeError({ code: 'KeyNotKept', source: 'platform', message: 'the key of the run could not be written into the user\'s authorized_keys', hint: 'has the user a home that he may write to?' });
}
