import { z } from 'zod';
import type { Connection } from '../../core/communicator.js';
import { asset, late } from '../../plan/late.js';
import { defineStepKind } from '../../plan/step-kind.js';

const milliseconds = z.number().nonnegative();

export const shellScript = defineStepKind({
  kind: 'shell.script',
  type: 'action',
  version: 1,
  spec: z.strictObject({
    connection: late(z.custom<Connection>((value) => typeof (value as Connection | null)?.kind === 'string')),
    inline: z.array(late(z.string())).min(1).optional(),
    scripts: z.array(asset('file')).min(1).optional(),
    environment: z.record(z.string(), late(z.string())).optional(),
    /** Names of the variables whose values must not reach an argument list. */
    secretNames: z.array(z.string()).optional(),
    executeCommand: z.string().optional(),
    validExitCodes: z.array(z.number().int()).min(1).optional(),
    expectDisconnect: z.boolean().optional(),
    startRetryTimeout: milliseconds.optional(),
    remoteFolder: z.string().min(1).optional(),
    remotePath: z.string().min(1).optional(),
    skipClean: z.boolean().optional(),
    inlineShebang: z.string().min(1).optional(),
    binary: z.boolean().optional(),
    pauseAfter: milliseconds.optional(),
  }),
  outputs: [],
});
