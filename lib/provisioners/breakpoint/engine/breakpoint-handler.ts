import { BakeError } from '../../../core/bake-error.js';
import type { ActionHandler } from '../../../engine/handler.js';
import type { BreakpointSpec } from '../steps.js';

/** Asks whether to go on; without a terminal the answer is yes, and the log says that nobody was asked. */
export const breakpointHandler: ActionHandler<BreakpointSpec, Record<string, never>> = {
  async run({ note, disable }, ctx) {
    if (disable === true) {
      ctx.log('the breakpoint is disabled: going on', 'info');
      return {};
    }
    ctx.log(`breakpoint${note === undefined ? '' : `: ${note}`} (without a terminal the build goes on)`, 'info');
    const answer = await ctx.ask({
      id: 'breakpoint',
      message: `${ctx.step.build} is stopped${note === undefined ? '' : `: ${note}`}`,
      choices: [{ key: 'continue', label: 'go on' }, { key: 'abort', label: 'end the build and clean up' }],
      fallback: 'continue',
    });
    if (answer === 'abort') throw new BakeError({ code: 'BreakpointAborted', message: 'the build was ended at its breakpoint', hint: 'set disable: true, or remove the breakpoint, to build through' });
    ctx.log('going on', 'info');
    return {};
  },
};
