import type { Artifact } from '../../../core/artifact.js';
import type { ActionHandler } from '../../../engine/handler.js';

/** Gives the artifact of a build that makes none, for post-processors that work without one. */
export const artifactHandler: ActionHandler<object, { readonly artifact: Artifact }> = {
  async run() {
    return { artifact: { type: 'none', id: 'null', title: 'nothing was exported', files: [], data: {} } };
  },
};
