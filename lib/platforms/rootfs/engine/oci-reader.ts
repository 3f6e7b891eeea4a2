import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BakeError } from '../../../core/bake-error.js';
import { isJsonObject, type JsonObject } from '../../../core/json.js';

/**
 * The path of the only layer of an OCI layout, as `RootfsOci` writes one.
 * @throws BakeError `OciLayoutInvalid` for anything else, a layout of several layers included
 */
export async function oneLayer(folder: string): Promise<string> {
  const [image, ...others] = descriptors(await readJson(join(folder, 'index.json'), folder), 'manifests');
  if (image === undefined || others.length > 0) throw invalid(folder, `has ${others.length + (image === undefined ? 0 : 1)} images, not one`);
  const [layer, ...more] = descriptors(await readJson(blobPath(folder, image), folder), 'layers');
  if (layer === undefined || more.length > 0) throw invalid(folder, `has ${more.length + (layer === undefined ? 0 : 1)} layers, not one`);
  return blobPath(folder, layer);
}

async function readJson(path: string, folder: string): Promise<JsonObject> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (isJsonObject(value)) return value;
  } catch (error) {
    throw invalid(folder, `cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  throw invalid(folder, `has no object in ${path}`);
}

function descriptors(value: JsonObject, member: string): readonly string[] {
  const list = value[member];
  if (!Array.isArray(list)) return [];
  return (list as readonly unknown[]).map((item) => (isJsonObject(item) && typeof item['digest'] === 'string' ? item['digest'] : ''));
}

/** A digest comes from a file and becomes a file name: it must be nothing else than one. */
function blobPath(folder: string, digest: string): string {
  const [, hex] = /^sha256:([0-9a-f]{64})$/.exec(digest) ?? [];
  if (hex === undefined) throw invalid(folder, `has a digest that is none: ${JSON.stringify(digest)}`);
  return join(folder, 'blobs', 'sha256', hex);
}

function invalid(folder: string, what: string): BakeError {
  return new BakeError({ code: 'OciLayoutInvalid', message: `the OCI layout ${folder} ${what}`, hint: 'give a layout of one image with one layer, as BootstrapSource writes it' });
}
