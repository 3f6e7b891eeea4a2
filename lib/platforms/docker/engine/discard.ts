import type { Artifact } from '../../../core/artifact.js';
import type { JsonObject } from '../../../core/json.js';
import type { ActionHandler } from '../../../engine/handler.js';
import type { discardStep } from '../steps.js';
import type { SpecOf } from './spec-of.js';

/** The artifact of a build that keeps nothing. */
export interface DiscardOutput extends JsonObject { readonly artifact: Artifact }

/** An ending without an image: the container goes when its step is released. */
export function discardHandler(): ActionHandler<SpecOf<typeof discardStep>, DiscardOutput> {
  return {
    run: async ({ container }) => ({ artifact: { type: 'none', id: container, title: 'nothing: the container was discarded', files: [], data: {} } }),
  };
}
