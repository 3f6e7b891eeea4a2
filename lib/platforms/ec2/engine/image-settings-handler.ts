import { BakeError } from '../../../core/bake-error.js';
import type { ActionHandler, StepContext } from '../../../engine/handler.js';
import type { ImageSettingsSpec } from '../image-steps.js';
import type { ImagesFor } from './image-port.js';
import { runOf } from './stamps.js';

/** Says who may use an image and until when it is found. For one that nobody else may use, no call is made. */
export function imageSettingsHandler(imagesFor: ImagesFor): ActionHandler<ImageSettingsSpec, Record<string, never>> {
  return {
    checkKnown({ deprecateAt }, ctx) {
      if (typeof deprecateAt === 'string' && Date.parse(deprecateAt) <= ctx.clock.now()) return Promise.reject(new BakeError({ code: 'DeprecatedBefore', message: `"deprecateAt" is ${deprecateAt}, which is over`, hint: 'give a time to come, or a Duration from now' }));
      return Promise.resolve();
    },
    async run({ access, imageId, snapshots, token, launch, snapshot, imdsSupport, deprecateAt }, ctx) {
      const images = imagesFor(access);
      const { signal } = ctx;
      if (runOf(token) !== ctx.run.id) await Promise.all([images.makePrivate(imageId, snapshots, signal), deprecateAt === undefined ? images.undeprecate(imageId, signal) : undefined]);
      const end = until(deprecateAt, ctx);
      await Promise.all([
        launch === undefined ? undefined : images.share(imageId, launch, signal),
        ...(snapshot === undefined ? [] : snapshots.map((id) => images.shareSnapshot(id, snapshot, signal))),
        imdsSupport === undefined ? undefined : images.requireTokens(imageId, signal),
        end === undefined ? undefined : images.deprecate(imageId, end, signal),
      ]);
      return {};
    },
  };
}

function until(deprecateAt: ImageSettingsSpec['deprecateAt'], { clock }: Pick<StepContext, 'clock'>): Date | undefined {
  if (deprecateAt === undefined) return undefined;
  return typeof deprecateAt === 'number' ? new Date(clock.now() + deprecateAt) : new Date(deprecateAt);
}
