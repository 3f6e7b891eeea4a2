import * as z from 'zod';
import type { Connection } from '../../core/communicator.js';
import type { JsonObject } from '../../core/json.js';
import { late } from '../../plan/late.js';
import { defineStepKind } from '../../plan/step-kind.js';

const asConnection: z.ZodType<Connection> = z.custom<Connection>((value) => typeof (value as JsonObject | null)?.['kind'] === 'string', 'must be a connection');

/** Takes out of the machine what building put in. */
export const vmTidy = defineStepKind({
  kind: 'vm.tidy',
  type: 'action',
  version: 1,
  spec: z.strictObject({
    connection: late(asConnection),
    authorizedKey: late(z.string()).optional(),
    hostPublicKey: late(z.string()).optional(),
    cloudInit: z.boolean().optional(),
    /** What makes this one machine: its id and its random seed. */
    forgetMachine: z.boolean().optional(),
    /** Paths of files; what is under the same name with `.bake-before` takes their place. */
    injected: late(z.array(z.string())).optional(),
    trim: z.enum(['none', 'discard', 'zero']).optional(),
  }),
  outputs: [],
});
