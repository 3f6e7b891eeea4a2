import { BakeError } from '../../../core/bake-error.js';
import type { ActionHandler } from '../../../engine/handler.js';
import type { ImageSettingsSpec } from '../image-steps.js';
import type { ImagesFor } from './image-port.js';

/** Says who may use an image and until when it is found. For one that nobody else may use, no call is made. */
export function imageSettingsHandler(imagesFor: ImagesFor): ActionHandler<ImageSettingsSpec, Record<string, never>> {
  return {
    checkKnown({ deprecateAt }, ctx) {
      if (typeof deprecateAt === 'string' && Date.parse(deprecateAt) <= ctx.clock.now()) return Promise.reject(new BakeError({ code: 'DeprecatedBefore', message: `"deprecateAt" is ${deprecateAt}, which is over`, hint: 'give a time to come, or a Duration from now' }));
      return Promise.resolve();
    },
    async run({ access, imageId, snapshots, madeBy, launch, snapshot, imdsSupport, deprecateAt }, ctx) {
      const images = imagesFor(access);
      const { signal } = ctx;
      const isOfEarlierRun = madeBy !== ctx.run.id;
      if (isOfEarlierRun) await images.makePrivate(imageId, snapshots, signal);
      const until = typeof deprecateAt === 'number' ? new Date(ctx.clock.now() + deprecateAt) : deprecateAt === undefined ? undefined : new Date(deprecateAt);
      await Promise.all([
        launch === undefined ? undefined : images.share(imageId, launch, signal),
        ...(snapshot === undefined ? [] : snapshots.map((id) => images.shareSnapshot(id, snapshot, signal))),
        imdsSupport === undefined ? undefined : images.requireTokens(imageId, signal),
        until === undefined && !isOfEarlierRun ? undefined : images.deprecate(imageId, until, signal),
      ]);
      return {};
    },
  };
}
