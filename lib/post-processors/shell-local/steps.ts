import * as z from 'zod';
import { artifactField } from '../../plan/artifact-field.js';
import { defineStepKind } from '../../plan/step-kind.js';
import { localScriptFields } from '../../provisioners/shell-local/local-script-fields.js';

/** A script on the machine that runs `bake`, which is told of an artifact. */
export const artifactScriptStep = defineStepKind({
  kind: 'shell-local.artifact-script', type: 'action', version: 1, outputs: ['artifact'],
  spec: z.strictObject({ artifact: artifactField, ...localScriptFields }),
});

export type ArtifactScriptSpec = z.output<(typeof artifactScriptStep)['spec']>;
