import * as z from 'zod';
import type { Artifact } from '../core/artifact.js';
import { late } from './late.js';

const artifact = z.looseObject({
  type: z.string(), id: z.string(), title: z.string(),
  files: z.array(z.looseObject({ path: z.string(), size: z.number() })),
  data: z.looseObject({}),
}, 'must be an artifact, such as that of a source');

/** The spec field of a post-processor's input. */
export const artifactField: z.ZodType<Artifact> = late(artifact as unknown as z.ZodType<Artifact>);
