import * as z from 'zod';
import { artifactField } from '../../plan/artifact-field.js';
import { asset, late } from '../../plan/late.js';
import { defineStepKind } from '../../plan/step-kind.js';
import { connectionField } from '../../provisioners/script-fields.js';

const expected = z.union([z.strictObject({ contains: z.string() }), z.strictObject({ pattern: z.string(), flags: z.string() })]);
export type ExpectedText = z.output<typeof expected>;

const port = z.int().min(1).max(65_535);
/** Milliseconds. */
const within = z.number().min(0);
const outcome = { exitCodes: z.array(z.int().min(0).max(255)).min(1), stdout: expected.optional(), stderr: expected.optional(), within: within.optional() };

const check = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('command'), command: late(z.string().min(1)), ...outcome }),
  z.strictObject({ type: z.literal('script'), script: asset('file'), name: z.string(), ...outcome }),
  z.strictObject({ type: z.literal('port'), port, within }),
  z.strictObject({
    type: z.literal('http'), port, within, path: z.string().startsWith('/', 'must start with a slash'), status: z.int().min(100).max(599),
    body: expected.optional(), headers: z.record(z.string(), late(z.string())).optional(),
  }),
]);
export type CheckSpec = z.output<typeof check>;

/** Looks whether a throw-away machine made of an artifact is as it should be, and the artifact as it was. */
export const verifyStep = defineStepKind({
  kind: 'verify.checks', type: 'action', version: 1, outputs: ['artifact'],
  spec: z.strictObject({
    artifact: artifactField,
    connection: connectionField.optional(),
    /** Where the machine's ports are reached, and by which number. */
    host: late(z.string()),
    ports: late(z.record(z.string(), port)),
    checks: z.array(check).min(1),
  }),
});
export type VerifySpec = z.output<typeof verifyStep.spec>;
