import type { Artifact } from '../../../core/artifact.js';
import { BakeError } from '../../../core/bake-error.js';
import type { ResourceHandler } from '../../../engine/handler.js';
import type { ArtificeSpec } from '../steps.js';
import { findFiles } from './find-files.js';

type Handle = { readonly artifact: Artifact };

/** Makes files an artifact. A resource, so that its input need not live as long as it does; nothing is made, so nothing is removed. */
export const artificeHandler: ResourceHandler<ArtificeSpec, Handle> = {
  async acquire({ artifact: input, files: patterns, keepsInput }, ctx) {
    const files = await findFiles(patterns, ctx.run.project, ctx.signal);
    const shared = files.find(({ path }) => input.files.some((file) => file.path === path));
    if (shared !== undefined && !keepsInput) {
      throw new BakeError({ code: 'FileOfInput', message: `${shared.path} belongs to "${input.title}", which is removed with all its files`, hint: 'set keepInputArtifact: true' });
    }
    const title = files.length === 1 ? files[0]!.path : `${files.length} files`;
    return { artifact: { type: 'files', id: files[0]!.path, title, files, data: {} } };
  },
  async find() {
    return undefined;
  },
  async release() {},
};
