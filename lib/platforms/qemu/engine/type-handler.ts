import type * as z from 'zod';
import { BakeError } from '../../../core/bake-error.js';
import type { ActionHandler, StepContext } from '../../../engine/handler.js';
import { parseBootCommand } from '../../../vm/boot-command/parse-boot-command.js';
import { qcodesOf } from '../../../vm/boot-command/qcodes.js';
import type { qemuType } from '../steps.js';
import { Qmp } from './qmp.js';

type TypeSpec = z.output<(typeof qemuType)['spec']>;

/**
 * Milliseconds between two keystrokes. A keyboard holds 16 bytes and a BIOS 16 keystrokes: what comes faster than the guest
 * takes it is lost.
 */
const defaultInterval = 20;

/** Types at the machine's keyboard, through QEMU's control protocol: nothing is shown or sent over a network for that. */
export const typeHandler: ActionHandler<TypeSpec, Record<string, never>> = {
  async run({ qmp: address, wait, command, keyInterval = defaultInterval }, ctx) {
    const actions = parseBootCommand(command);
    const qmp = await Qmp.connect(address);
    try {
      if (wait > 0) {
        ctx.log(`waiting ${wait / 1_000} s before typing`, 'info');
        await ctx.clock.sleep(wait, ctx.signal);
      }
      for (const [index, action] of actions.entries()) {
        ctx.signal.throwIfAborted();
        ctx.progress({ label: 'typing', current: index + 1, total: actions.length, unit: 'items' });
        if (action.type === 'wait') {
          await ctx.clock.sleep(action.milliseconds, ctx.signal);
          continue;
        }
        const isOff = await isOffAfter(send(qmp, action.action, qcodesOf(action), keyInterval, ctx), qmp);
        if (isOff && index < actions.length - 1) throw new BakeError({ code: 'MachineEnded', source: 'platform', message: `the machine switched itself off after ${index + 1} of ${actions.length} keystrokes and waits`, hint: 'look at what is typed, and when' });
      }
    } finally {
      qmp.close();
    }
    return {};
  },
};

/** Whether the machine is off once the keys are sent: what the last one asked for may be just that. */
async function isOffAfter(sent: Promise<void>, qmp: Qmp): Promise<boolean> {
  try {
    await sent;
    return false;
  } catch (error) {
    const { status } = await qmp.execute('query-status') as { readonly status: string };
    if (status === 'shutdown') return true;
    throw error;
  }
}

async function send(qmp: Qmp, action: 'press' | 'down' | 'up', keys: readonly string[], interval: number, ctx: StepContext): Promise<void> {
  const event = (key: string, down: boolean) => ({ type: 'key', data: { down, key: { type: 'qcode', data: key } } });
  if (action !== 'up') await qmp.execute('input-send-event', { events: keys.map((key) => event(key, true)) });
  if (action === 'press') await ctx.clock.sleep(interval / 2, ctx.signal);
  if (action !== 'down') await qmp.execute('input-send-event', { events: keys.toReversed().map((key) => event(key, false)) });
  await ctx.clock.sleep(action === 'press' ? interval / 2 : interval, ctx.signal);
}
