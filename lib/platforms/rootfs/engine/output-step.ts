import { resolve } from 'node:path';
import type { Artifact } from '../../../core/artifact.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import type { Compression, RootfsPort } from './rootfs-port.js';

/** What can be said of an output before there is a tree: whether its place is free, and its program there. */
export async function checkOutput(port: RootfsPort, { path, compression = 'none' }: { readonly path?: string; readonly compression?: Compression }, ctx: StepContext): Promise<void> {
  if (path !== undefined) await ctx.outputs.check(resolve(ctx.run.project, path));
  await port.checkCompression(compression, ctx);
}

/** A packer that outlived a crash would go on writing: it is ended before its output is looked for or removed. */
export function endingFirst<Spec, Handle extends { readonly path: string; readonly artifact: Artifact }>(port: RootfsPort, handler: ResourceHandler<Spec, Handle>): ResourceHandler<Spec, Handle> {
  return {
    ...handler,
    async find(token, spec, ctx) {
      await port.end(token, ctx);
      return handler.find(token, spec, ctx);
    },
    async release(handle, ctx) {
      await port.end(ctx.token, ctx);
      await handler.release(handle, ctx);
    },
  };
}
