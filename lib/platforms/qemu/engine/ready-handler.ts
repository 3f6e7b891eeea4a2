import type * as z from 'zod';
import { BakeError } from '../../../core/bake-error.js';
import type { ActionHandler, StepContext } from '../../../engine/handler.js';
import type { qemuReady } from '../steps.js';
import { diskFailure } from './disk-failure.js';
import { panicOf } from './kernel-panic.js';
import { withMachineFacts } from './machine-trouble.js';
import { Qmp } from './qmp.js';
import { resumeGuest } from './resume-guest.js';

type ReadySpec = z.output<(typeof qemuReady)['spec']>;

/** Waits until somebody can log in. A machine that ends meanwhile is not waited for. */
export const readyHandler: ActionHandler<ReadySpec, Record<string, never>> = {
  async run({ connection, qmp: address, serialLog, resumed }, ctx) {
    const qmp = await Qmp.connect(address);
    try {
      await orEndOf(qmp, serialLog, ctx, async (signal) => {
        const machine = await ctx.connect(connection, signal);
        if (resumed === true) await resumeGuest(machine, ctx, signal);
        else await machine.exec({ command: 'exit 0', signal });
      });
    } catch (error) {
      throw await withMachineFacts(error, { qmp, serialLog }, ctx);
    } finally {
      qmp.close();
    }
    return {};
  },
};

/** @throws BakeError `MachineEnded` if the machine is switched off before the work is done, and as `diskFailure` and `panicOf` */
async function orEndOf(qmp: Qmp, serialLog: string, ctx: StepContext, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const over = new AbortController();
  const ended = (how: string) => over.abort(new BakeError({ code: 'MachineEnded', source: 'platform', message: `${how} before anybody could log in`, hint: 'look at its serial console, and at what it was told to boot' }));
  const stop = qmp.onEvent(({ event, data }) => { if (event === 'SHUTDOWN') ended(data['guest'] === true ? 'the machine switched itself off' : 'the machine was switched off'); });
  const onClosed = () => ended('QEMU ended');
  qmp.closed.addEventListener('abort', onClosed, { once: true });
  const isWorking = new AbortController();
  for (const failure of [diskFailure(qmp), panicOf(serialLog, isWorking.signal)]) failure.catch((error: unknown) => over.abort(error));
  try {
    const { status } = await qmp.execute('query-status') as { readonly status: string };
    if (status === 'shutdown') ended('the machine switched itself off');
    over.signal.throwIfAborted();
    await work(AbortSignal.any([ctx.signal, over.signal]));
  } finally {
    isWorking.abort();
    stop();
    qmp.closed.removeEventListener('abort', onClosed);
  }
}
