import { chmod, mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { asDiskError } from '../../../core/disk-error.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';

export interface Medium {
  /** Absolute path of the image; mode 0600. */
  readonly file: string;
  readonly [member: string]: string;
}

export interface MediumOptions<Spec> {
  /** The image's file name. */
  readonly name: string;
  /** Writes the image to `image`; `tree` is where its files may be put together first. Both lie in a folder only for the owner. */
  readonly make: (spec: Spec, ctx: StepContext, place: MediumPlace) => Promise<void>;
  /** Finds what would make `make` fail; called with the fields that are known before the run. */
  readonly check: (known: Partial<Spec>, ctx: StepContext) => Promise<void>;
}

/** Where a medium is made. */
export interface MediumPlace {
  readonly tree: string;
  readonly image: string;
}

/**
 * A step that makes an image file in the run's temporary folder. What it is made of may be secret, so that is gone as soon as
 * the image is there, also after a failure; the image itself goes with the machine that had it.
 */
export function mediumHandler<Spec>({ name, make, check }: MediumOptions<Spec>): ResourceHandler<Spec, Medium> {
  const fileOf = (ctx: StepContext) => join(ctx.run.tmp, name);
  const workshopOf = (ctx: StepContext) => join(ctx.run.tmp, `${name}.parts`);
  const clear = (path: string) => rm(path, { recursive: true, force: true });
  return {
    check,
    checkKnown: check,
    async acquire(spec, ctx) {
      const [file, workshop] = [fileOf(ctx), workshopOf(ctx)];
      const image = join(workshop, name);
      try {
        await clear(workshop);
        await mkdir(workshop, { recursive: true, mode: 0o700 });
        await make(spec, ctx, { tree: join(workshop, 'tree'), image });
        await chmod(image, 0o600);
        await rename(image, file);
      } catch (error) {
        throw asDiskError(error, file);
      } finally {
        await clear(workshop);
      }
      return { file };
    },
    async find(_token, _spec, ctx) {
      const isThere = (path: string) => stat(path).then(() => true, () => false);
      return await isThere(fileOf(ctx)) || await isThere(workshopOf(ctx)) ? { file: fileOf(ctx) } : undefined;
    },
    async release(_handle, ctx) {
      await clear(workshopOf(ctx));
      await clear(fileOf(ctx));
    },
  };
}
