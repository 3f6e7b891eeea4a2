import * as z from 'zod';
import { BakeError } from '../core/bake-error.js';
import { planSchemaVersion, type Plan } from './plan.js';

const location = z.strictObject({ file: z.string(), line: z.number().int().positive(), column: z.number().int().positive().optional() });
const ref = z.strictObject({ $ref: z.string() });
const milliseconds = z.number().nonnegative();
const step = z.strictObject({
  id: z.string().min(1),
  kind: z.string().min(1),
  title: z.string(),
  role: z.enum(['source', 'provisioner', 'error-cleanup', 'post-processor']),
  spec: z.record(z.string(), z.json()),
  needs: z.array(z.string()),
  lifetime: z.enum(['run', 'artifact', 'none']),
  noun: z.string().optional(),
  build: z.string(),
  policy: z.strictObject({
    pauseBefore: milliseconds.optional(), timeout: milliseconds.optional(), retries: z.number().int().nonnegative().optional(),
    retryDelay: milliseconds.optional(), continueOnError: z.boolean().optional(),
    cache: z.boolean().optional(), cacheFor: milliseconds.optional(), cacheKey: z.string().optional(),
  }).optional(),
  source: location.optional(),
});
const plan = z.strictObject({
  schema: z.literal(planSchemaVersion),
  image: z.string(),
  tags: z.record(z.string(), z.string()),
  builds: z.array(z.strictObject({ id: z.string(), name: z.string(), platform: z.string(), artifact: ref, machine: z.string().optional(), source: location.optional() })),
  steps: z.array(step),
});

/**
 * Reads a plan from outside, which may be anything.
 * @throws BakeError `PlanTooNew`, `PlanInvalid`
 */
export function parsePlan(text: string, origin: string): Plan {
  const data = parseJson(text, origin);
  const schema = (data as { schema?: unknown } | null)?.schema;
  if (typeof schema === 'number' && schema > planSchemaVersion) {
    throw new BakeError({ code: 'PlanTooNew', message: `${origin} has plan schema ${schema}; this bake knows ${planSchemaVersion}`, hint: 'use the version of bake that wrote it, or run "bake synth" again' });
  }
  const result = plan.safeParse(data);
  if (result.success) return result.data as Plan;
  const [issue] = result.error.issues;
  throw new BakeError({ code: 'PlanInvalid', message: `${origin} is no plan: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, hint: 'run "bake synth" again' });
}

function parseJson(text: string, origin: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BakeError({ code: 'PlanInvalid', message: `${origin} is not JSON: ${(error as Error).message}`, hint: 'run "bake synth" again', cause: error });
  }
}
