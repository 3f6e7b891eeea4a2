import * as z from 'zod';
import { artifactField } from '../../plan/artifact-field.js';
import { late } from '../../plan/late.js';
import { defineStepKind } from '../../plan/step-kind.js';

/** Files that something else made, as an artifact. */
export const artificeStep = defineStepKind({
  kind: 'artifice.files', type: 'resource', noun: 'list of files', owns: false, version: 1, cost: 'io', outputs: ['artifact'],
  spec: z.strictObject({
    artifact: artifactField,
    files: z.array(late(z.string().min(1))).min(1, 'must name at least one file'),
    keepsInput: z.boolean(),
  }),
});

export type ArtificeSpec = z.output<(typeof artificeStep)['spec']>;
