import type * as z from 'zod';
import type { ActionHandler } from '../../../engine/handler.js';
import type { ec2NetworkDrivers } from '../steps.js';
import type { ImagesFor } from './image-port.js';

/** Says of an instance that stands still which network drivers it has; its image says so too. */
export function networkDriversHandler(imagesFor: ImagesFor): ActionHandler<z.output<(typeof ec2NetworkDrivers)['spec']>, Record<string, never>> {
  return {
    async run({ access, instanceId, ena, sriov }, ctx) {
      await imagesFor(access).setNetworkDrivers(instanceId, { ena, sriov }, ctx.signal);
      return {};
    },
  };
}
