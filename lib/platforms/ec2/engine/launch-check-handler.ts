import type { ActionHandler } from '../../../engine/handler.js';
import type { LaunchSpec } from '../steps.js';
import { requestOf, triesOf } from './instance-handler.js';
import type { RegionFor } from './region.js';

/** A dry run of the start: what is not allowed, not known or does not fit together is told here. Of several types it asks for the first. */
export function launchCheckHandler(regionFor: RegionFor): ActionHandler<LaunchSpec, Record<string, never>> {
  return {
    async run(spec, ctx) {
      await regionFor(spec.access).ec2.checkInstance(requestOf(spec, { ...triesOf(spec)[0]!, userData: undefined, clientToken: ctx.token }, ctx), ctx.signal);
      return {};
    },
  };
}
