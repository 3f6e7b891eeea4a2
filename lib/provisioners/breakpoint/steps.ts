import * as z from 'zod';
import { late } from '../../plan/late.js';
import { defineStepKind } from '../../plan/step-kind.js';

/** A stop until somebody says how to go on. */
export const breakpointStep = defineStepKind({
  kind: 'breakpoint.stop', type: 'action', cache: false, version: 1, outputs: [],
  spec: z.strictObject({ note: late(z.string()).optional(), disable: z.boolean().optional() }),
});

export type BreakpointSpec = z.output<typeof breakpointStep.spec>;
