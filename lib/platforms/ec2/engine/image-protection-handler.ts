import type * as z from 'zod';
import type { JsonObject } from '../../../core/json.js';
import type { ResourceHandler } from '../../../engine/handler.js';
import type { ec2ImageProtection } from '../image-steps.js';
import type { ImagesFor } from './image-port.js';

type Handle = JsonObject & { readonly imageId: string; readonly access: JsonObject };

/** Keeps an image from being deregistered, until the build takes that off because it fails. */
export function imageProtectionHandler(imagesFor: ImagesFor): ResourceHandler<z.output<(typeof ec2ImageProtection)['spec']>, Handle> {
  return {
    async acquire({ access, imageId, cooldown }, ctx) {
      await imagesFor(access).protect(imageId, cooldown, ctx.signal);
      return { imageId, access };
    },
    find: async (_token, { access, imageId }, ctx) => (await imagesFor(access).isProtected(imageId, ctx.signal) ? { imageId, access } : undefined),
    release: ({ imageId, access }, ctx) => imagesFor(access).unprotect(imageId, ctx.signal),
  };
}
