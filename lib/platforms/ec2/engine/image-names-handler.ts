import type * as z from 'zod';
import type { ActionHandler } from '../../../engine/handler.js';
import type { ec2ImageNames } from '../image-steps.js';
import { requireFree } from './image-name.js';
import type { RegionFor } from './region.js';

/** Looks whether names are free: only in a build that is carried out, for one that is up to date has them itself. */
export function imageNamesHandler(regionFor: RegionFor): ActionHandler<z.output<(typeof ec2ImageNames)['spec']>, Record<string, never>> {
  return {
    async run({ names }, ctx) {
      await Promise.all(names.map(({ access, name }) => requireFree(name, regionFor(access).ec2, ctx)));
      return {};
    },
  };
}
