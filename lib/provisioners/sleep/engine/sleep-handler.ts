import type { ActionHandler } from '../../../engine/handler.js';

export const sleepHandler: ActionHandler<{ readonly duration: number }, Record<string, never>> = {
  async run({ duration }, ctx) {
    await ctx.clock.sleep(duration, ctx.signal);
    return {};
  },
};
