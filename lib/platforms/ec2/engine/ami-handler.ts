import type * as z from 'zod';
import type { ResourceHandler } from '../../../engine/handler.js';
import type { ec2Ami } from '../steps.js';
import { freeName, makeNamed } from './image-name.js';
import { type AmiHandle, imageCare, untilAvailable } from './made-image.js';
import type { RegionFor } from './region.js';
import { stamped } from './stamps.js';

/** Makes an image of an instance, and takes it away again if the build fails. */
export function amiHandler(regionFor: RegionFor): ResourceHandler<z.output<(typeof ec2Ami)['spec']>, AmiHandle> {
  return {
    async acquire(spec, ctx) {
      const region = regionFor(spec.access);
      const { instanceId, description, noReboot, blockDevices = [], tags } = spec;
      const name = await freeName(spec, region.ec2, ctx);
      const request = { instanceId, name, description, noReboot, blockDevices, tags: stamped({ Name: name, ...tags }, ctx) };
      const id = await makeNamed(name, region.ec2, ctx, () => region.ec2.createImage(request, ctx.signal));
      ctx.log(`${id}: EC2 copies the volumes`, 'info');
      return untilAvailable(id, region, spec.access, ctx);
    },
    ...imageCare(regionFor),
  };
}
