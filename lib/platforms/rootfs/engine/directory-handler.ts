import type * as z from 'zod';
import type { Artifact } from '../../../core/artifact.js';
import type { ResourceHandler } from '../../../engine/handler.js';
import { outputFile, type OutputFileHandle } from '../../../engine/output-file.js';
import type { rootfsDirectory } from '../steps.js';
import type { RootfsPort } from './rootfs-port.js';
import { checkOutput, endingFirst } from './output-step.js';

type DirectorySpec = z.output<(typeof rootfsDirectory)['spec']>;

/** Copies a tree to where it stays, its times clamped. */
export function directoryHandler(port: RootfsPort): ResourceHandler<DirectorySpec, OutputFileHandle<{ readonly artifact: Artifact }>> {
  const handler = outputFile<DirectorySpec, { readonly artifact: Artifact }>({
    path: ({ path }) => path,
    checkKnown: (known, ctx) => checkOutput(port, known, ctx),
    async write({ tree, clampTime, tags = {} }, ctx, part, path) {
      await port.copy(tree, part, ctx);
      await port.clampTimes(part, clampTime, ctx);
      return { artifact: { type: 'rootfs.directory', id: path, title: `root tree in ${path}`, files: [], data: { clampTime, tags } } };
    },
    // Its files belong to many users, who may not be this one.
    remove: (path, ctx) => port.remove(path, ctx),
  });
  return endingFirst(port, handler);
}
