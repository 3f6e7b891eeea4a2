import type { Artifact } from '../../../core/artifact.js';
import { outputFile, type OutputFileHandle } from '../../../engine/output-file.js';
import type { ResourceHandler } from '../../../engine/handler.js';
import type { exportStep } from '../steps.js';
import type { DockerEngine } from './docker-engine.js';
import { fileOfStream } from './file-of-stream.js';
import type { SpecOf } from './spec-of.js';

/** What an export leaves. */
export interface ExportFacts { readonly artifact: Artifact; readonly [key: string]: Artifact }

/** The container's root tree as a tarball. */
export function exportHandler(engine: DockerEngine): ResourceHandler<SpecOf<typeof exportStep>, OutputFileHandle<ExportFacts>> {
  return outputFile<SpecOf<typeof exportStep>, ExportFacts>({
    path: (spec) => spec.path,
    async write({ container }, ctx, part, path) {
      const size = await fileOfStream(await engine.exportContainer(container, ctx), part, 'export', ctx);
      return { artifact: { type: 'docker.export', id: path, title: `root tree ${path}`, files: [{ path, size }], data: {} } };
    },
  });
}
