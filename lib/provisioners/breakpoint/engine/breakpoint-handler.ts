import { BakeError } from '../../../core/bake-error.js';
import type { ActionHandler } from '../../../engine/handler.js';

export const breakpointHandler: ActionHandler<{ readonly note?: string; readonly disable?: boolean }, Record<string, never>> = {
  async run({ note, disable }, ctx) {
    if (disable) return {};
    const answer = await ctx.ask({
      id: 'breakpoint',
      message: note === undefined ? `${ctx.step.id}: the build stands still` : `${ctx.step.id}: ${note}`,
      choices: [{ key: 'continue', label: 'go on' }, { key: 'abort', label: 'end the build' }],
      fallback: 'continue',
    });
    if (answer === 'abort') throw new BakeError({ code: 'BreakpointAborted', message: 'the build was ended at a breakpoint', hint: 'answer "continue" to go on' });
    ctx.log(`breakpoint: ${answer === 'continue' ? 'going on' : answer}`, 'info');
    return {};
  },
};
