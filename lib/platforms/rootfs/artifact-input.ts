import * as z from 'zod';
import type { Artifact } from '../../core/artifact.js';
import type { JsonObject } from '../../core/json.js';

/** Another build's artifact, as it stands in a resolved spec. */
export const asArtifact: z.ZodType<Artifact> = z.custom<Artifact>((value) => {
  if (typeof value !== 'object' || value === null) return false;
  const { type, id, files } = value as JsonObject;
  return typeof type === 'string' && typeof id === 'string' && Array.isArray(files);
}, 'must be the artifact of another source, such as base.artifact');
