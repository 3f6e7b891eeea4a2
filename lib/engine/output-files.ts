import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { asDiskError } from '../core/disk-error.js';
import type { JsonObject } from '../core/json.js';
import type { ResourceHandler, StepContext } from './handler.js';

export interface OutputFilesOptions<Spec, Facts extends JsonObject> {
  /** The final paths, each once; relative to the project. */
  readonly paths: (spec: Spec, ctx: StepContext) => readonly string[];
  /** Writes each file or folder whole to the part of the same index, which is next to its final path and does not exist yet. */
  readonly write: (spec: Spec, ctx: StepContext, parts: readonly string[], paths: readonly string[]) => Promise<Facts>;
  readonly check?: (spec: Spec, ctx: StepContext) => Promise<void>;
  /** As `check`, for a spec that is not known in full yet. */
  readonly checkKnown?: (known: Partial<Spec>, ctx: StepContext) => Promise<void>;
  /** Removes a file or folder; nothing there is success. @default - as the user who runs `bake` */
  readonly remove?: (path: string, ctx: StepContext) => Promise<void>;
}

export type OutputFilesHandle<Facts extends JsonObject> = Facts & { readonly paths: readonly string[] };

/**
 * The handler of a step that writes files or folders. Each is written under another name, and all are renamed when the
 * last one is whole, so that a final name never stands for half a file; removed again if the build fails.
 * @remarks Errors: `OutputExists`, `OutputConflict`, `DiskFull`, `NotWritable`.
 */
export function outputFiles<Spec, Facts extends JsonObject>(options: OutputFilesOptions<Spec, Facts>): ResourceHandler<Spec, OutputFilesHandle<Facts>> {
  const remove = options.remove ?? ((path: string) => rm(path, { recursive: true, force: true }));
  const pathsOf = (spec: Spec, ctx: StepContext) => options.paths(spec, ctx).map((path) => resolve(ctx.run.project, path));
  return {
    async check(spec, ctx) {
      for (const path of pathsOf(spec, ctx)) await ctx.outputs.check(path);
      await options.check?.(spec, ctx);
    },
    ...(options.checkKnown === undefined ? {} : { checkKnown: options.checkKnown }),
    async acquire(spec, ctx) {
      const paths = pathsOf(spec, ctx);
      const parts = paths.map((path) => partOf(path, ctx.token));
      try {
        for (const [index, path] of paths.entries()) {
          await mkdir(dirname(path), { recursive: true });
          await ctx.outputs.claim(path, ctx.token);
          await remove(parts[index]!, ctx);
        }
        const facts = await options.write(spec, ctx, parts, paths);
        for (const [index, path] of paths.entries()) {
          const part = parts[index]!;
          if (await isDirectory(part) || await isDirectory(path)) await remove(path, ctx);
          await rename(part, path);
          await ctx.outputs.settle(path, ctx.token);
        }
        return { ...facts, paths };
      } catch (error) {
        throw asOutputError(error, paths, parts);
      }
    },
    async find(token, spec, ctx) {
      const paths = pathsOf(spec, ctx);
      for (const path of paths) {
        if (await exists(partOf(path, token)) || await ctx.outputs.isOurs(path, token)) return { paths } as unknown as OutputFilesHandle<Facts>;
      }
      return undefined;
    },
    /** A folder's own facts do not say whether what is in it has changed. */
    async holds({ paths }, ctx) {
      for (const path of paths) if (await isDirectory(path) || !(await ctx.outputs.isOurs(path, ctx.token))) return false;
      return true;
    },
    async release(handle, ctx) {
      for (const path of handle.paths) {
        await remove(partOf(path, ctx.token), ctx);
        if (await ctx.outputs.isOurs(path, ctx.token)) {
          await remove(path, ctx);
          await ctx.outputs.forget(path);
        }
      }
    },
  };
}

/** Explains a failed write by the final path it was for; an error about another file, such as an input, stays as it is. */
function asOutputError(error: unknown, paths: readonly string[], parts: readonly string[]): unknown {
  const named = (error as NodeJS.ErrnoException).path;
  if (typeof named !== 'string') return asDiskError(error, paths.join(', '));
  const isAround = (path: string) => path === named || path.startsWith(named + sep) || named.startsWith(path + sep);
  const index = paths.findIndex((path, at) => isAround(path) || isAround(parts[at]!));
  return index < 0 ? error : asDiskError(error, paths[index]!);
}

function partOf(path: string, token: string): string {
  return join(dirname(path), `.${basename(path)}.${token}.part`);
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(() => true, () => false);
}

function isDirectory(path: string): Promise<boolean> {
  return stat(path).then((stats) => stats.isDirectory(), () => false);
}
