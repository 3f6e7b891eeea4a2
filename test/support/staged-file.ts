import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { StagedAsset } from '../../lib/plan/late.js';

/** A file or folder as a handler gets it from the assembly. */
export async function stagedFile(path: string, name = basename(path)): Promise<StagedAsset> {
  const info = await stat(path);
  return { path, name, size: info.isDirectory() ? 0 : info.size, type: info.isDirectory() ? 'directory' : 'file', digest: '0'.repeat(64) };
}
