import t, { type Test } from 'tap';
import { BakeError } from '../../../lib/core/bake-error.js';
import type { Communicator, RemoteCommand, RemoteResult } from '../../../lib/core/communicator.js';
import type { Clock } from '../../../lib/core/ports.js';
import { shellHandler } from '../../../lib/provisioners/shell/engine/shell-handler.js';
import type { ShellScriptSpec } from '../../../lib/provisioners/shell/steps.js';
import { stepContext } from '../../support/step-context.js';
import { execOnly, ShellMachine } from './shells.js';

/** Time that passes only by sleeping. */
function steppedClock(): Clock & { readonly slept: number[] } {
  const slept: number[] = [];
  return { slept, now: () => slept.reduce((sum, milliseconds) => sum + milliseconds, 0), sleep: async (milliseconds) => { slept.push(milliseconds); } };
}

async function run(t: Test, spec: Partial<ShellScriptSpec>, connect: () => Communicator, clock: Clock = steppedClock()) {
  const ctx = stepContext(t, { connect, clock });
  await shellHandler.run({ connection: { kind: 'test' }, inline: ['echo ran'], ...spec }, ctx);
  return ctx;
}

const lost = () => new BakeError({ code: 'ConnectionLost', source: 'platform', transient: true, message: 'gone' });
/** Runs the command to its end, then says that the connection went away. */
const cutAtTheEnd = (end: Partial<RemoteResult>) => execOnly(async (command: RemoteCommand) => ({ ...(await new ShellMachine().exec(command)), ...end }));

t.test('a connection that is lost before the script started is tried again, with growing delays', async (t) => {
  const clock = steppedClock();
  let tries = 0;
  const machine = execOnly(async (command) => {
    tries++;
    if (tries === 1) throw lost();
    if (tries < 9) return { code: null, disconnected: true };
    return new ShellMachine().exec(command);
  });
  const ctx = await run(t, {}, () => machine, clock);
  t.strictSame(ctx.lines(), ['ran']);
  t.strictSame(clock.slept, [50, 100, 200, 400, 800, 1600, 2000, 2000]);
  t.equal(ctx.lines('info').length, 1);
});

t.test('so is one that cannot be opened', async (t) => {
  let tries = 0;
  const ctx = await run(t, {}, () => {
    if (++tries < 3) throw lost();
    return new ShellMachine();
  });
  t.strictSame(ctx.lines(), ['ran']);
});

t.test('after startRetryTimeout it is given up', async (t) => {
  const clock = steppedClock();
  await t.rejects(run(t, { startRetryTimeout: 1_000 }, () => execOnly(async () => { throw lost(); }), clock), { code: 'ScriptNotStarted', message: 'the connection was lost before the inline script started: gone', source: 'platform', hint: /startRetryTimeout/ });
  t.strictSame(clock.slept, [50, 100, 200, 400]);
  await t.rejects(run(t, { startRetryTimeout: 0 }, () => execOnly(async () => ({ code: null, disconnected: true })), steppedClock()), { code: 'ScriptNotStarted' });
});

t.test('an error that trying again cannot cure is not tried again', async (t) => {
  let tries = 0;
  const refusing = execOnly(async () => { tries++; throw new BakeError({ code: 'CommandNotStarted', message: 'refused' }); });
  await t.rejects(run(t, {}, () => refusing), { code: 'CommandNotStarted' });
  t.equal(tries, 1);
});

t.test('a script that started is never run twice', async (t) => {
  let tries = 0;
  const machine = execOnly(async (command) => { tries++; return { ...(await new ShellMachine().exec(command)), code: null, disconnected: true }; });
  await t.rejects(run(t, {}, () => machine), { code: 'ScriptDisconnected', message: 'the connection was lost while the inline script ran', output: ['ran'], hint: /expectDisconnect/ });
  t.equal(tries, 1);
  const failing = execOnly(async (command) => { tries++; await new ShellMachine().exec(command); throw lost(); });
  await t.rejects(run(t, {}, () => failing), { code: 'ScriptDisconnected' });
  t.equal(tries, 2);
});

t.test('with expectDisconnect a lost connection is no failure, nor is an end by the shutdown', async (t) => {
  for (const end of [{ code: null, disconnected: true }, { code: 143 }, { code: 137 }, { code: 129 }, { code: null, signal: 'TERM' }]) {
    const ctx = await run(t, { expectDisconnect: true }, () => cutAtTheEnd(end));
    t.strictSame(ctx.lines(), ['ran'], JSON.stringify(end));
  }
  await run(t, { expectDisconnect: true }, () => new ShellMachine());
  await t.rejects(run(t, { expectDisconnect: true, inline: ['exit 3'] }, () => new ShellMachine()), { code: 'ScriptFailed' });
  await t.rejects(run(t, {}, () => cutAtTheEnd({ code: 143 })), { code: 'ScriptFailed' });
});

t.test('half a script never runs', async (t) => {
  const marker = `${t.testdir({})}/ran`;
  // The connection breaks in the middle of the input: the shell on the machine sees its end too early.
  for (const missing of [1, 3, 10, 40, 400, 1_500]) {
    const cut = execOnly(async (command) => {
      const chunks: Buffer[] = [];
      for await (const chunk of command.stdin as AsyncIterable<Buffer>) chunks.push(chunk);
      const whole = Buffer.concat(chunks);
      return new ShellMachine().exec({ ...command, stdin: whole.subarray(0, Math.max(0, whole.length - missing)) });
    });
    await t.rejects(run(t, { inline: [`touch ${marker}`, 'true', ':'] }, () => cut), { code: 'ScriptNotStaged' }, `${missing} bytes are missing`);
    t.equal((await new ShellMachine().exec({ command: `test -e ${marker}` })).code, 1);
  }
});
