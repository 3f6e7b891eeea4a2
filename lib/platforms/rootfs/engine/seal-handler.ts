import type * as z from 'zod';
import type { ActionHandler } from '../../../engine/handler.js';
import type { rootfsSeal } from '../steps.js';
import type { RootfsPort } from './rootfs-port.js';

type SealSpec = z.output<(typeof rootfsSeal)['spec']>;

/** Ends what provisioners left running, then removes what is not the image's. */
export function sealHandler(port: RootfsPort): ActionHandler<SealSpec, Record<never, never>> {
  return {
    async run({ tree, init, initStart, cleanPackageCache, clearLogs }, ctx) {
      await port.quiet({ init, initStart }, ctx);
      await port.seal(tree, { cleanPackageCache, clearLogs }, ctx);
      return {};
    },
  };
}
