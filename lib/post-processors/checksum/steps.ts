import { getHashes } from 'node:crypto';
import * as z from 'zod';
import { artifactField } from '../../plan/artifact-field.js';
import { late } from '../../plan/late.js';
import { defineStepKind } from '../../plan/step-kind.js';

const algorithm = z.string().refine((name) => getHashes().includes(name), 'must be a hash such as "md5", "sha1", "sha256" or "sha512"');

/** The sums of an artifact's files. */
export const checksumStep = defineStepKind({
  kind: 'checksum.files', type: 'resource', noun: 'checksum file', version: 1, cost: 'cpu', outputs: ['paths', 'artifact'],
  spec: z.strictObject({
    artifact: artifactField,
    algorithms: z.array(algorithm).min(1, 'must name at least one algorithm'),
    /** With `{algorithm}` in it, one file for each. */
    output: late(z.string().min(1)),
    /** Whether the input's files are part of the new artifact. */
    withInput: z.boolean(),
  }),
});

export type ChecksumSpec = z.output<(typeof checksumStep)['spec']>;
