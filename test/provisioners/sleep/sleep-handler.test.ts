import t from 'tap';
import { sleepHandler } from '../../../lib/provisioners/sleep/engine/sleep-handler.js';
import { stepContext } from '../../support/step-context.js';

t.test('it waits by the clock', async (t) => {
  const slept: number[] = [];
  const ctx = stepContext(t, { clock: { now: () => 0, sleep: async (milliseconds) => { slept.push(milliseconds); } } });
  await sleepHandler.run({ duration: 90_000 }, ctx);
  t.strictSame(slept, [90_000]);
});

t.test('an abort ends it at once', async (t) => {
  const abort = new AbortController();
  const sleeping = sleepHandler.run({ duration: 90_000 }, stepContext(t, { signal: abort.signal }));
  abort.abort(new Error('enough'));
  await t.rejects(sleeping, { message: 'enough' });
});
