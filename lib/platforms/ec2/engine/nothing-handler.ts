import type { Artifact } from '../../../core/artifact.js';
import type { ActionHandler } from '../../../engine/handler.js';

/** Where the build was only to show that it can be provisioned. */
export const nothingHandler: ActionHandler<{ readonly instanceId: string }, { readonly artifact: Artifact }> = {
  run: ({ instanceId }) => Promise.resolve({ artifact: { type: 'none', id: instanceId, title: 'no image', files: [], data: {} } }),
};
