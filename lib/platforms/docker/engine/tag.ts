import type { Artifact } from '../../../core/artifact.js';
import type { JsonObject } from '../../../core/json.js';
import type { ResourceHandler } from '../../../engine/handler.js';
import { withTag } from '../reference.js';
import type { tagStep } from '../steps.js';
import type { DockerEngine } from './docker-engine.js';
import { imageOf } from './image-of.js';
import { imageArtifact } from './made-image.js';
import { type NamesBefore, recallNames, rememberNames, restoreNames } from './names-before.js';
import type { SpecOf } from './spec-of.js';

/** Names that were given, and who had them before. */
export interface TagHandle extends JsonObject {
  readonly image: string;
  readonly tags: readonly string[];
  readonly artifact: Artifact;
  readonly before: NamesBefore;
}

/** Names for an image that somebody else made; undone, each goes back to the image that had it. */
export function tagHandler(engine: DockerEngine): ResourceHandler<SpecOf<typeof tagStep>, TagHandle> {
  const handleOf = (artifact: Artifact, before: NamesBefore): TagHandle => {
    const { id, tags } = imageOf(artifact, 'tag');
    const names = Object.keys(before);
    return { image: id, tags: names, artifact: imageArtifact(id, [...new Set([...tags, ...names])], artifact.data), before };
  };
  return {
    async acquire({ artifact, tags }, ctx) {
      const { id } = imageOf(artifact, 'tag');
      const before = await rememberNames(engine, tags, ctx);
      for (const tag of tags) await engine.tag(id, withTag(tag));
      return handleOf(artifact, before);
    },
    async find(_token, { artifact }, ctx) {
      const before = await recallNames(ctx);
      return before === undefined ? undefined : handleOf(artifact, before);
    },
    holds: async ({ image, tags }, ctx) => (await Promise.all(tags.map((name) => engine.inspectImage(name, ctx)))).every((named) => named?.id === image),
    release: ({ image, before }, ctx) => restoreNames(engine, image, before, ctx),
  };
}
