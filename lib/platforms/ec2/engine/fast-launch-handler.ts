import { BakeError } from '../../../core/bake-error.js';
import type { JsonObject } from '../../../core/json.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import type { FastLaunchSpec } from '../image-steps.js';
import type { ImagePort, ImagesFor } from './image-port.js';

type Handle = JsonObject & { readonly imageId: string; readonly access: JsonObject };

/** It takes many minutes: EC2 starts machines of the image for it. */
const [firstPause, longestPause] = [2_000, 15_000];

/** Has EC2 prepare snapshots of a Windows image, and waits until it has. */
export function fastLaunchHandler(imagesFor: ImagesFor): ResourceHandler<FastLaunchSpec, Handle> {
  return {
    async acquire({ access, imageId, ...request }, ctx) {
      const images = imagesFor(access);
      await images.enableFastLaunch(imageId, request, ctx.signal);
      await untilEnabled(imageId, images, ctx);
      return { imageId, access };
    },
    async find(_token, { access, imageId }, ctx) {
      const [found] = await imagesFor(access).fastLaunches([imageId], ctx.signal);
      return found === undefined || found.state === 'disabling' ? undefined : { imageId, access };
    },
    release: ({ imageId, access }, ctx) => imagesFor(access).disableFastLaunch(imageId, ctx.signal),
    settle: 5_000,
  };
}

async function untilEnabled(imageId: string, images: ImagePort, { clock, signal }: StepContext): Promise<void> {
  for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
    const [found] = await images.fastLaunches([imageId], signal);
    if (found?.state === 'enabled') return;
    if (found?.state === 'failed') throw new BakeError({ code: 'FastLaunchFailed', source: 'platform', message: `EC2 could not prepare fast launches of ${imageId}${found.reason === undefined ? '' : `: ${found.reason}`}`, hint: 'only Windows images that were prepared with Sysprep have them; is there a quota, or a default VPC, or a launch template that names a subnet?' });
    await clock.sleep(pause, signal);
  }
}
