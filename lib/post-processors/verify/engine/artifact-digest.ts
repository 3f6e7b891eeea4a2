import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Artifact } from '../../../core/artifact.js';
import { BakeError } from '../../../core/bake-error.js';

/** The sha256 of each file of an artifact, by path: as the artifact says, or read from the file. Folders have none. */
export async function digestsOf({ files }: Artifact, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const digests = new Map<string, string>();
  for (const { path, sha256 } of files) {
    if (typeof sha256 === 'string') digests.set(path, sha256);
    else if ((await stat(path)).isFile()) digests.set(path, await sha256Of(path, signal));
  }
  return digests;
}

/** @throws BakeError `ArtifactChanged` if a file has another sha256 now */
export async function assertUnchanged(digests: ReadonlyMap<string, string>, signal: AbortSignal): Promise<void> {
  for (const [path, known] of digests) {
    const now = await sha256Of(path, signal);
    if (now === known) continue;
    throw new BakeError({ code: 'ArtifactChanged', source: 'platform', message: `${path} was changed while it was tried out: its sha256 is ${now}, and was ${known}`, hint: 'another program has written to it; build it anew' });
  }
}

async function sha256Of(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash, { signal });
  return hash.digest('hex');
}
