import type { Artifact } from '../../../core/artifact.js';
import { outputFile, type OutputFileHandle } from '../../../engine/output-file.js';
import type { ResourceHandler } from '../../../engine/handler.js';
import type { saveStep } from '../steps.js';
import type { DockerEngine } from './docker-engine.js';
import { fileOfStream } from './file-of-stream.js';
import { imageOf } from './image-of.js';
import type { SpecOf } from './spec-of.js';

/** What a save leaves. */
export interface SaveFacts { readonly artifact: Artifact; readonly [key: string]: Artifact }

/** An image with its layers and names as one archive. */
export function saveHandler(engine: DockerEngine): ResourceHandler<SpecOf<typeof saveStep>, OutputFileHandle<SaveFacts>> {
  return outputFile<SpecOf<typeof saveStep>, SaveFacts>({
    path: (spec) => spec.path,
    async write({ artifact }, ctx, part, path) {
      const { id, tags } = imageOf(artifact, 'save');
      // A name that was moved meanwhile stands for another image.
      const current = await Promise.all(tags.map(async (tag) => ((await engine.inspectImage(tag, ctx))?.id === id ? tag : undefined)));
      const names = current.filter((tag) => tag !== undefined);
      const size = await fileOfStream(await engine.save(names.length > 0 ? names : [id], ctx), part, 'save', ctx);
      return { artifact: { type: 'docker.archive', id: path, title: `image archive ${path}`, files: [{ path, size }], data: { image: id, repoTags: names } } };
    },
  });
}
