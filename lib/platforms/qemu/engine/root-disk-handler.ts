import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type * as z from 'zod';
import type { JsonObject } from '../../../core/json.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import type { qemuRootDisk } from '../steps.js';
import { makeBootableDisk } from './bootable-disk/make-bootable-disk.js';
import { requireOwners, requireTools, runAsRoot } from './bootable-disk/tools.js';

type RootDiskSpec = z.output<(typeof qemuRootDisk)['spec']>;

export interface RootDiskHandle extends JsonObject {
  readonly folder: string;
  /** The raw disk. */
  readonly file: string;
  /** Paths in the machine of what must go again. */
  readonly injected: readonly string[];
}

/** A root tree made bootable, next to where the image will be: there is room. */
export const rootDiskHandler: ResourceHandler<RootDiskSpec, RootDiskHandle> = {
  async check({ architecture }, ctx) {
    await requireTools(architecture);
    await requireOwners(ctx);
  },
  async checkKnown({ architecture }, ctx) {
    if (architecture !== undefined) await requireTools(architecture);
    await requireOwners(ctx);
  },

  async acquire(spec, ctx) {
    const folder = rootFolder(spec.output, ctx);
    await remove(folder, ctx);
    return { folder, ...await makeBootableDisk(spec, folder, ctx) };
  },

  async find(_token, spec, ctx) {
    const folder = rootFolder(spec.output, ctx);
    return await stat(folder).then(() => true, () => false) ? { folder, file: '', injected: [] } : undefined;
  },

  release: ({ folder }, ctx) => remove(folder, ctx),
};

/** Its name carries the token: nobody else's is removed. */
function rootFolder(output: string, ctx: StepContext): string {
  const path = resolve(ctx.run.project, output);
  return join(dirname(path), `.${basename(path)}.${ctx.token}.root`);
}

/** The tree may belong to users of a namespace. */
async function remove(folder: string, ctx: StepContext): Promise<void> {
  await runAsRoot(ctx, 'rm', ['-rf', '--', folder]);
}
