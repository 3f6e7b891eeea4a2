import type { ActionHandler } from '../../../engine/handler.js';
import { automaticEnvironment } from '../../automatic-environment.js';
import type { ShellScriptSpec } from '../steps.js';
import { runRemoteScript } from './run-remote-script.js';
import { scriptContents } from './script-content.js';

/** Runs the scripts of a step one after the other; see `runRemoteScript`. */
export const shellHandler: ActionHandler<ShellScriptSpec, Record<string, never>> = {
  async run(spec, ctx) {
    const environment = { ...automaticEnvironment(ctx), ...spec.environment };
    for (const read of scriptContents(spec)) await runRemoteScript(await read(), spec, environment, ctx);
    if (spec.pauseAfter !== undefined) await ctx.clock.sleep(spec.pauseAfter, ctx.signal);
    return {};
  },
};
