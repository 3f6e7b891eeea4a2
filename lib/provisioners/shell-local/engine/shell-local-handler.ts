import type { ActionHandler } from '../../../engine/handler.js';
import type { LocalScriptSpec } from '../local-script-fields.js';
import { runLocalScript } from './run-local-script.js';

/** Runs a local script; needs no machine. */
export const shellLocalHandler: ActionHandler<LocalScriptSpec, Record<string, never>> = {
  async run(spec, ctx) {
    await runLocalScript(spec, ctx);
    return {};
  },
};
