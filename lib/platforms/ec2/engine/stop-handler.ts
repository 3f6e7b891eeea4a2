import type * as z from 'zod';
import type { ActionHandler } from '../../../engine/handler.js';
import type { ec2Stop } from '../steps.js';
import { requireAlive } from './instance-handler.js';
import type { RegionFor } from './region.js';

/** Stops an instance and waits until it stands still. */
export function stopHandler(regionFor: RegionFor): ActionHandler<z.output<(typeof ec2Stop)['spec']>, Record<string, never>> {
  return {
    async run({ access, instanceId }, ctx) {
      const { ec2, instances } = regionFor(access);
      await ec2.stopInstance(instanceId, ctx.signal);
      await instances.until(instanceId, (now) => { requireAlive(now); return now.state === 'stopped'; }, ctx);
      return {};
    },
  };
}
