import { open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import { BakeError } from '../../../core/bake-error.js';

/** Members that we do not know stay: another version, or Packer, may have written them. */
const schema = z.looseObject({ builds: z.array(z.looseObject({})), last_run_uuid: z.string() });
export type ManifestFile = z.output<typeof schema>;

export const emptyManifest: ManifestFile = { builds: [], last_run_uuid: '' };

/** The manifest at a path; an empty one if there is none. @throws BakeError `ManifestCorrupt` if it is something else */
export async function readManifest(path: string): Promise<ManifestFile> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return emptyManifest;
    throw error;
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new BakeError({ code: 'ManifestCorrupt', message: `${path} is not a manifest`, hint: 'move it away, choose another output, or give --force to replace it', cause });
  }
}

/** Replaces the manifest in one moment: whoever reads it sees the old or the new one whole. */
export async function writeManifest(path: string, manifest: ManifestFile, token: string): Promise<void> {
  const part = join(dirname(path), `.${basename(path)}.${token}.part`);
  try {
    const file = await open(part, 'w');
    try {
      await file.writeFile(`${JSON.stringify(manifest, undefined, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
