import { z } from 'zod';
import { defineStepKind } from '../../plan/step-kind.js';

export const sleepStep = defineStepKind({ kind: 'sleep', type: 'action', version: 1, spec: z.strictObject({ duration: z.number().nonnegative() }), outputs: [] });
