import t from 'tap';
import type { Communicator, RemoteCommand } from '../../../lib/core/communicator.js';
import { verifyHandler } from '../../../lib/post-processors/verify/engine/verify-handler.js';
import { stepContext } from '../../support/step-context.js';

const spec = (within?: number) => ({
  artifact: { type: 'files', id: 'x', title: 'x', files: [], data: {} }, connection: { kind: 'fake' }, host: '127.0.0.1', ports: {},
  checks: [{ type: 'command' as const, command: 'tail -f log', exitCodes: [0], ...(within === undefined ? {} : { within }) }],
});

/** A command that runs until it is ended, as the contract of a communicator has it: it rejects with the signal's reason. */
const hanging = {
  exec: ({ signal }: RemoteCommand) => new Promise<never>((_, reject) => { signal?.addEventListener('abort', () => reject(signal.reason as Error)); }),
} as Partial<Communicator> as Communicator;

t.test('a command that never ends is ended with its time, and fails', async (t) => {
  await t.rejects(verifyHandler.run(spec(200), stepContext(t, { connect: () => hanging })), { code: 'VerifyFailed', message: /tail -f log: it had not ended when its 0\.2 s were over/ });
});

t.test('what an earlier attempt found is what is said', async (t) => {
  let calls = 0;
  const machine = { exec: (command: RemoteCommand) => (calls++ === 0 ? Promise.resolve({ code: 7, disconnected: false }) : hanging.exec(command)) } as Partial<Communicator> as Communicator;
  await t.rejects(verifyHandler.run(spec(200), stepContext(t, { connect: () => machine })), { code: 'VerifyFailed', message: /it ended with 7, not 0/ });
});

t.test('Ctrl-C ends it at once, and is no finding', async (t) => {
  const stop = new AbortController();
  const run = verifyHandler.run(spec(60_000), stepContext(t, { connect: () => { setImmediate(() => stop.abort(new Error('stopped'))); return hanging; }, signal: stop.signal }));
  await t.rejects(run, { message: 'stopped' });
});
