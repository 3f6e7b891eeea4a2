import * as z from 'zod';
import { artifactField } from '../../plan/artifact-field.js';
import { late } from '../../plan/late.js';
import { defineStepKind } from '../../plan/step-kind.js';

/** An entry in the manifest file. */
export const manifestStep = defineStepKind({
  kind: 'manifest.entry', type: 'resource', noun: 'manifest entry', passesOn: true, cache: false, version: 1, outputs: ['artifact', 'path'],
  spec: z.strictObject({
    artifact: artifactField,
    output: late(z.string().min(1)),
    stripPath: z.boolean().optional(),
    stripTime: z.boolean().optional(),
    customData: z.record(z.string(), late(z.string())).optional(),
  }),
});

export type ManifestSpec = z.output<(typeof manifestStep)['spec']>;
