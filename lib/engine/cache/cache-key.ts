import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The key for fingerprints of secrets, made once for each user: whoever reads a fingerprint can try out nothing without it.
 * If it is lost, what secrets went into is built again.
 */
export async function cacheKey(folder: string): Promise<Uint8Array> {
  const path = join(folder, 'fingerprint-key');
  const known = await readFile(path).catch(() => undefined);
  if (known?.length === 32) return known;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const part = `${path}.${process.pid}`;
  const made = randomBytes(32);
  await writeFile(part, made, { mode: 0o600 });
  try {
    if (known !== undefined) await rm(path, { force: true }); // cut off
    await link(part, path); // of two who make one, the first has it
    return made;
  } catch {
    return await readFile(path).catch(() => made);
  } finally {
    await rm(part, { force: true });
  }
}
