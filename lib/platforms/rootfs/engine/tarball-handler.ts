import { stat } from 'node:fs/promises';
import type * as z from 'zod';
import type { Artifact } from '../../../core/artifact.js';
import type { ResourceHandler } from '../../../engine/handler.js';
import { outputFile, type OutputFileHandle } from '../../../engine/output-file.js';
import type { rootfsTarball } from '../steps.js';
import { checkOutput, endingFirst } from './output-step.js';
import type { RootfsPort } from './rootfs-port.js';

type TarballSpec = z.output<(typeof rootfsTarball)['spec']>;

/** Packs a tree into a tarball; the same tree gives the same bytes. */
export function tarballHandler(port: RootfsPort): ResourceHandler<TarballSpec, OutputFileHandle<{ readonly artifact: Artifact }>> {
  const handler = outputFile<TarballSpec, { readonly artifact: Artifact }>({
    path: ({ path }) => path,
    checkKnown: (known, ctx) => checkOutput(port, known, ctx),
    async write({ tree, clampTime, compression = 'none', tags = {} }, ctx, part, path) {
      await port.pack(tree, part, { clampTime, compression }, ctx);
      const { size } = await stat(part);
      return { artifact: { type: 'rootfs.tarball', id: path, title: `root tree in ${path}`, files: [{ path, size }], data: { compression, clampTime, tags } } };
    },
  });
  return endingFirst(port, handler);
}
