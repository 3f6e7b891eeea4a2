import type { ActionHandler } from '../../../engine/handler.js';
import type { SleepSpec } from '../steps.js';

/** Waits by the clock; an abort ends it at once. */
export const sleepHandler: ActionHandler<SleepSpec, Record<string, never>> = {
  async run({ duration }, ctx) {
    await ctx.clock.sleep(duration, ctx.signal);
    return {};
  },
};
