import * as z from 'zod';
import { artifactField } from '../../plan/artifact-field.js';
import { late } from '../../plan/late.js';
import { defineStepKind } from '../../plan/step-kind.js';
import { formats } from './format.js';

/** An artifact's files in one compressed file. */
export const compressStep = defineStepKind({
  kind: 'compress.file', type: 'resource', noun: 'compressed file', version: 1, cost: 'cpu', outputs: ['path', 'artifact'],
  spec: z.strictObject({
    artifact: artifactField,
    output: late(z.string().min(1)),
    /** Absent: as the output's name says. */
    format: z.enum(formats).optional(),
    level: z.number().int().optional(),
  }),
});

export type CompressSpec = z.output<(typeof compressStep)['spec']>;
