import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson, sha256, type JsonObject } from '../../../core/json.js';
import type { OciSpec } from './oci-handler.js';
import type { PackedLayer } from './rootfs-port.js';

// Shapes and media types: OCI image specification 1.1, image-layout.md, manifest.md, config.md.

export const layerTypes = {
  none: 'application/vnd.oci.image.layer.v1.tar',
  gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
} as const;

export interface Layer extends PackedLayer {
  readonly mediaType: string;
}

export interface LayoutParts {
  readonly layer: Layer;
  readonly config: JsonObject;
  /** Name of the image in the layout. */
  readonly tag: string;
  readonly annotations: Readonly<Record<string, string>>;
}

type Descriptor = { readonly mediaType: string; readonly digest: string; readonly size: number };

export interface Layout {
  /** Digest of the manifest: the image's identity. */
  readonly digest: string;
  readonly manifest: { readonly config: Descriptor };
  /** Relative to the layout. */
  readonly files: readonly { readonly name: string; readonly size: number }[];
}

/** The image's configuration: what to run, and where the layer stands. */
export function imageConfig(spec: OciSpec, diffId: string): JsonObject {
  const { entrypoint, cmd, env, exposedPorts, labels, workdir, user, volumes, stopSignal, tags } = spec;
  const created = new Date(spec.clampTime * 1000).toISOString().replace('.000Z', 'Z');
  const allLabels = { ...tags, ...labels };
  const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  const variables = Object.entries(env ?? {}).map(([name, value]) => `${name}=${value}`);
  const config = {
    Env: [...(env !== undefined && 'PATH' in env ? [] : [path]), ...variables],
    Entrypoint: entrypoint, Cmd: cmd, WorkingDir: workdir, User: user, StopSignal: stopSignal,
    ExposedPorts: exposedPorts === undefined ? undefined : keys(exposedPorts.map((port) => (String(port).includes('/') ? String(port) : `${port}/tcp`))),
    Volumes: volumes === undefined ? undefined : keys(volumes),
    Labels: Object.keys(allLabels).length === 0 ? undefined : allLabels,
  };
  return JSON.parse(canonicalJson({
    created, os: 'linux', ...platformOf(spec.architecture), config,
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created, created_by: 'bake' }],
  })) as JsonObject;
}

/** Writes what a layout has besides its layer, which is there already. */
export async function writeLayout(folder: string, { layer, config, tag, annotations }: LayoutParts): Promise<Layout> {
  const files: { name: string; size: number }[] = [{ name: blobName(layer.digest), size: layer.size }];
  const write = async (name: string, text: string) => {
    await writeFile(join(folder, name), text);
    files.push({ name, size: Buffer.byteLength(text) });
  };
  const blob = async (mediaType: string, value: object): Promise<Descriptor> => {
    const text = canonicalJson(value);
    const digest = `sha256:${sha256(text)}`;
    await write(blobName(digest), text);
    return { mediaType, digest, size: Buffer.byteLength(text) };
  };
  const { diffId: _, ...layerDescriptor } = layer;
  const configDescriptor = await blob('application/vnd.oci.image.config.v1+json', config);
  const manifest = await blob('application/vnd.oci.image.manifest.v1+json', {
    schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', config: configDescriptor, layers: [layerDescriptor], ...(Object.keys(annotations).length > 0 && { annotations }),
  });
  await write('index.json', canonicalJson({
    schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [{ ...manifest, annotations: { 'org.opencontainers.image.ref.name': tag } }],
  }));
  await write('oci-layout', canonicalJson({ imageLayoutVersion: '1.0.0' }));
  return { digest: manifest.digest, manifest: { config: configDescriptor }, files };
}

/** Where a blob stands in a layout. */
export function blobName(digest: string): string {
  return `blobs/sha256/${digest.slice('sha256:'.length)}`;
}

function keys(names: readonly string[]): JsonObject {
  return Object.fromEntries(names.map((name) => [name, {}]));
}

/** The names of Debian's architectures and Node's, in those of Go that OCI uses. */
const platforms: Readonly<Record<string, { readonly architecture: string; readonly variant?: string }>> = {
  x64: { architecture: 'amd64' }, i386: { architecture: '386' }, ia32: { architecture: '386' },
  arm64: { architecture: 'arm64', variant: 'v8' }, armhf: { architecture: 'arm', variant: 'v7' }, arm: { architecture: 'arm', variant: 'v7' }, armel: { architecture: 'arm', variant: 'v5' },
  ppc64el: { architecture: 'ppc64le' }, ppc64: { architecture: 'ppc64le' }, mips64el: { architecture: 'mips64le' }, mipsel: { architecture: 'mipsle' },
};

function platformOf(architecture: string | undefined): { readonly architecture: string; readonly variant?: string } {
  const name = architecture ?? process.arch;
  return platforms[name] ?? { architecture: name };
}
