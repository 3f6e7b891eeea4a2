import type { Artifact } from '../../../core/artifact.js';
import { BakeError } from '../../../core/bake-error.js';

/** The image that an artifact is, and its names. @throws BakeError `WrongArtifact` */
export function imageOf(artifact: Artifact, verb: string): { readonly id: string; readonly tags: readonly string[] } {
  if (artifact.type !== 'docker.image') {
    throw new BakeError({ code: 'WrongArtifact', message: `cannot ${verb} a ${artifact.type} artifact`, hint: 'this needs a docker.image: end the source in a commit, or put a DockerImport before it' });
  }
  const { repoTags } = artifact.data;
  return { id: artifact.id, tags: Array.isArray(repoTags) ? repoTags.filter((tag): tag is string => typeof tag === 'string') : [] };
}
