import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type * as z from 'zod';
import type { Artifact } from '../../../core/artifact.js';
import type { ResourceHandler } from '../../../engine/handler.js';
import { outputFile, type OutputFileHandle } from '../../../engine/output-file.js';
import type { rootfsOci } from '../steps.js';
import { blobName, imageConfig, layerTypes, writeLayout } from './oci-layout.js';
import type { RootfsPort } from './rootfs-port.js';
import { checkOutput, endingFirst } from './output-step.js';

export type OciSpec = z.output<(typeof rootfsOci)['spec']>;

/** Writes a tree as an OCI image layout of one layer; the same tree gives the same digests. */
export function ociHandler(port: RootfsPort): ResourceHandler<OciSpec, OutputFileHandle<{ readonly artifact: Artifact }>> {
  const handler = outputFile<OciSpec, { readonly artifact: Artifact }>({
    path: ({ path }) => path,
    checkKnown: ({ compression = 'gzip', ...known }, ctx) => checkOutput(port, { ...known, compression }, ctx),
    async write(spec, ctx, part, path) {
      const { clampTime, compression = 'gzip' } = spec;
      await mkdir(join(part, 'blobs', 'sha256'), { recursive: true });
      const packed = await port.packLayer(spec.tree, join(part, 'layer'), { clampTime, compression }, ctx);
      await rename(join(part, 'layer'), join(part, blobName(packed.digest)));
      const layer = { ...packed, mediaType: layerTypes[compression] };
      const layout = await writeLayout(part, { layer, config: imageConfig(spec, layer.diffId), tag: spec.tag ?? 'latest', annotations: spec.tags ?? {} });
      const { digest, manifest } = layout;
      return {
        artifact: {
          type: 'rootfs.oci', id: path, title: `OCI layout in ${path}`, files: layout.files.map(({ name, size }) => ({ path: `${path}/${name}`, size })),
          data: { digest, configDigest: manifest.config.digest, tag: spec.tag ?? 'latest', clampTime },
        },
      };
    },
  });
  return endingFirst(port, handler);
}
