import type * as z from 'zod';
import { BakeError } from '../../../core/bake-error.js';
import type { ActionHandler, StepContext } from '../../../engine/handler.js';
import type { qemuShutdown } from '../steps.js';
import { diskFailure } from './disk-failure.js';
import { withMachineFacts } from './machine-trouble.js';
import { processesWith } from './processes.js';
import { Qmp } from './qmp.js';

type ShutdownSpec = z.output<(typeof qemuShutdown)['spec']>;

/** Switches the machine off and waits for its word that it is; then ends QEMU, which has written all by then. */
export const shutdownHandler: ActionHandler<ShutdownSpec, Record<string, never>> = {
  async run(spec, ctx) {
    const { serialLog, folder } = spec;
    let qmp: Qmp | undefined;
    try {
      qmp = await Qmp.connect(spec.qmp);
      const off = switchedOff(qmp);
      const failure = diskFailure(qmp);
      off.catch(() => {});
      failure.catch(() => {});
      if ((await qmp.execute('query-status') as { readonly status: string }).status !== 'shutdown') {
        // A command that never ends must not hold this up either.
        await within(spec, Promise.race([off, failure, ask(spec, qmp, ctx)]).then(() => Promise.race([off, failure])), ctx);
      }
      await qmp.execute('quit').catch(() => {}); // it may be gone before it has answered
      await untilGone(folder, ctx);
    } catch (error) {
      throw await withMachineFacts(error, { qmp, serialLog }, ctx);
    } finally {
      qmp?.close();
    }
    return {};
  },
};

/** Resolves when the guest has switched itself off. @throws BakeError `MachineGone` if QEMU ends instead */
function switchedOff(qmp: Qmp): Promise<void> {
  return new Promise((resolve, reject) => {
    // QEMU says so too when it is ended from outside, with a guest in it that is still running.
    qmp.onEvent(({ event, data }) => { if (event === 'SHUTDOWN' && data['guest'] === true) resolve(); });
    qmp.closed.addEventListener('abort', () => reject(new BakeError({ code: 'MachineGone', source: 'platform', message: 'QEMU ended while the machine was to be shut down', hint: 'its disk may not be whole; somebody may have ended it' })), { once: true });
  });
}

async function ask({ connection, command, powerButton, timeout }: ShutdownSpec, qmp: Qmp, ctx: StepContext): Promise<void> {
  if (command !== undefined && connection !== undefined) {
    const machine = await ctx.connect(connection);
    const { code, disconnected } = await machine.exec({ command, onStdout: (line) => ctx.log(line), onStderr: (line) => ctx.log(line, 'stderr'), signal: ctx.signal });
    // A machine that goes down takes the connection, and often the command, with it.
    if (code !== 0 && code !== null && !disconnected) throw new BakeError({ code: 'ShutdownFailed', source: 'user', message: `the shutdown command ended with ${code}`, hint: 'give a "shutdownCommand" that the login user may run, such as "sudo poweroff"' });
  } else if (powerButton) {
    await qmp.execute('system_powerdown');
  } else {
    ctx.log(`waiting for the machine to switch itself off, ${timeout / 1_000} s at most`, 'info');
  }
}

async function within({ timeout, command, powerButton }: ShutdownSpec, off: Promise<void>, ctx: StepContext): Promise<void> {
  const over = new AbortController();
  const limit = ctx.clock.sleep(timeout, AbortSignal.any([over.signal, ctx.signal])).then(() => {
    const isTold = command !== undefined || powerButton;
    throw new BakeError({
      code: 'ShutdownTimeout', source: 'platform', message: `the machine was still on ${timeout / 1_000} s after it was ${isTold ? 'told to shut down' : 'started'}, and was killed`,
      hint: isTold ? 'give a "shutdownCommand" that works in this guest, or a longer "shutdownTimeout"' : 'with communicator \'none\' it has to switch itself off; give a longer "shutdownTimeout" if it was not done yet',
    });
  });
  limit.catch(() => {});
  try {
    await Promise.race([off, limit]);
  } finally {
    over.abort();
  }
}

async function untilGone(folder: string, ctx: StepContext): Promise<void> {
  for (let delay = 5; (await processesWith(folder, ctx.exec)).length > 0; delay = Math.min(delay * 2, 100)) await ctx.clock.sleep(delay, ctx.signal);
}
