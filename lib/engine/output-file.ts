import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { JsonObject } from '../core/json.js';
import type { ResourceHandler, StepContext } from './handler.js';

export interface OutputFileOptions<Spec, Facts extends JsonObject> {
  /** The final path; relative to the project. */
  readonly path: (spec: Spec, ctx: StepContext) => string;
  /** Writes the whole file or folder to `part`, which is next to the final path and does not exist yet. */
  readonly write: (spec: Spec, ctx: StepContext, part: string, path: string) => Promise<Facts>;
  readonly check?: (spec: Spec, ctx: StepContext) => Promise<void>;
}

export type OutputFileHandle<Facts extends JsonObject> = Facts & { readonly path: string };

/**
 * The handler of a step that writes one file or folder. It is written under another name and renamed when it is whole,
 * so that the final name never stands for half a file; removed again if the build fails.
 */
export function outputFile<Spec, Facts extends JsonObject>(options: OutputFileOptions<Spec, Facts>): ResourceHandler<Spec, OutputFileHandle<Facts>> {
  const pathOf = (spec: Spec, ctx: StepContext) => resolve(ctx.run.project, options.path(spec, ctx));
  return {
    async check(spec, ctx) {
      await ctx.outputs.check(pathOf(spec, ctx));
      await options.check?.(spec, ctx);
    },
    async acquire(spec, ctx) {
      const path = pathOf(spec, ctx);
      const part = partOf(path, ctx.token);
      await mkdir(dirname(path), { recursive: true });
      await ctx.outputs.claim(path, ctx.token);
      await rm(part, { recursive: true, force: true });
      const facts = await options.write(spec, ctx, part, path);
      if ((await stat(part)).isDirectory()) await rm(path, { recursive: true, force: true });
      await rename(part, path);
      await ctx.outputs.settle(path, ctx.token);
      return { ...facts, path };
    },
    async find(token, spec, ctx) {
      const path = pathOf(spec, ctx);
      const isThere = await exists(partOf(path, token)) || await ctx.outputs.isOurs(path, token);
      return isThere ? ({ path } as OutputFileHandle<Facts>) : undefined;
    },
    async release(handle, ctx) {
      await rm(partOf(handle.path, ctx.token), { recursive: true, force: true });
      if (await ctx.outputs.isOurs(handle.path, ctx.token)) {
        await rm(handle.path, { recursive: true, force: true });
        await ctx.outputs.forget(handle.path);
      }
    },
  };
}

function partOf(path: string, token: string): string {
  return join(dirname(path), `.${basename(path)}.${token}.part`);
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(() => true, () => false);
}
