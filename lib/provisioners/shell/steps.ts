import * as z from 'zod';
import { asset, late } from '../../plan/late.js';
import { defineStepKind } from '../../plan/step-kind.js';
import { connectionField, environmentField, exitCodesField, shebangField } from '../script-fields.js';

/** A path on the machine that means itself in any shell, also inside quotes of the user's own `executeCommand`. */
export const plainPath = /^\/[\w@%+=:,./-]*$/;
const path = z.string().regex(plainPath, 'give an absolute path of letters, digits and _ @ % + = : , . / -');

/** A script on the machine being built; times in milliseconds. */
export const shellScriptStep = defineStepKind({
  kind: 'shell.script', type: 'action', version: 1, outputs: [],
  spec: z.strictObject({
    connection: connectionField,
    inline: z.array(late(z.string())).min(1).optional(),
    script: asset('file').optional(),
    scripts: z.array(asset('file')).min(1).optional(),
    environment: environmentField,
    executeCommand: late(z.string()).optional(),
    inlineShebang: shebangField,
    binary: z.boolean().optional(),
    remotePath: path.optional(),
    remoteFolder: path.optional(),
    skipClean: z.boolean().optional(),
    validExitCodes: exitCodesField,
    expectDisconnect: z.boolean().optional(),
    startRetryTimeout: z.number().min(0).optional(),
    pauseAfter: z.number().min(0).optional(),
  }),
});

export type ShellScriptSpec = z.output<typeof shellScriptStep.spec>;
