import * as z from 'zod';
import { defineStepKind } from '../../plan/step-kind.js';

/** A wait; milliseconds. */
export const sleepStep = defineStepKind({
  kind: 'sleep.pause', type: 'action', version: 1, outputs: [],
  spec: z.strictObject({ duration: z.number().min(0) }),
});

export type SleepSpec = z.output<typeof sleepStep.spec>;
