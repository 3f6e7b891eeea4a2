import { z } from 'zod';
import { late } from '../../plan/late.js';
import { defineStepKind } from '../../plan/step-kind.js';

export const breakpointStep = defineStepKind({ kind: 'breakpoint', type: 'action', version: 1, spec: z.strictObject({ note: late(z.string()).optional(), disable: z.boolean().optional() }), outputs: [] });
