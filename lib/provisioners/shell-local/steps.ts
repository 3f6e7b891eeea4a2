import * as z from 'zod';
import { defineStepKind } from '../../plan/step-kind.js';
import { localScriptFields } from './local-script-fields.js';

/** A script on the machine that runs `bake`. */
export const localScriptStep = defineStepKind({
  kind: 'shell-local.script', type: 'action', cache: false, version: 1, outputs: [],
  spec: z.strictObject(localScriptFields),
});
