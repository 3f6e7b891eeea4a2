import type { ActionHandler } from '../../../engine/handler.js';
import type { SnapshotSharingSpec } from '../volume-steps.js';
import type { ImagesFor } from './image-port.js';
import { runOf } from './stamps.js';

/** Says who else may make volumes of a snapshot. For a new one that nobody else may use, no call is made. */
export function snapshotSharingHandler(imagesFor: ImagesFor): ActionHandler<SnapshotSharingSpec, Record<string, never>> {
  return {
    async run({ access, snapshotId, token, users, groups }, ctx) {
      const images = imagesFor(access);
      if (runOf(token) !== ctx.run.id) await images.makePrivate(undefined, [snapshotId], ctx.signal);
      if ([...users ?? [], ...groups ?? []].length > 0) await images.shareSnapshot(snapshotId, { users, groups }, ctx.signal);
      return {};
    },
  };
}
