import t from 'tap';
import { breakpointHandler } from '../../../lib/provisioners/breakpoint/engine/breakpoint-handler.js';
import { stepContext } from '../../support/step-context.js';

t.test('it asks, and goes on or ends the build as told', async (t) => {
  const going = stepContext(t, { answer: () => 'continue' });
  await breakpointHandler.run({ note: 'look at /etc' }, going);
  t.match(going.asked, [{ id: 'breakpoint', message: 'Image/Source is stopped: look at /etc', fallback: 'continue' }]);
  t.equal(going.lines('info').at(-1), 'going on');
  await t.rejects(breakpointHandler.run({}, stepContext(t, { answer: () => 'abort' })), { code: 'BreakpointAborted' });
});

t.test('without a terminal it goes on and says so', async (t) => {
  const ctx = stepContext(t);
  await breakpointHandler.run({}, ctx);
  t.match(ctx.lines('info')[0], /without a terminal the build goes on/);
});

t.test('a disabled one does not ask', async (t) => {
  const ctx = stepContext(t);
  await breakpointHandler.run({ disable: true }, ctx);
  t.strictSame(ctx.asked, []);
  t.match(ctx.lines('info')[0], /disabled/);
});
