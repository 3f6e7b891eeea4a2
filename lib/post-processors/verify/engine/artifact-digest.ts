import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Artifact } from '../../../core/artifact.js';
import { BakeError } from '../../../core/bake-error.js';

/** @throws BakeError `ArtifactChanged` if a file of which the sha256 is known has another one now */
export async function assertUnchanged({ files }: Artifact, signal: AbortSignal): Promise<void> {
  for (const { path, sha256: known } of files) {
    if (typeof known !== 'string') continue;
    const hash = createHash('sha256');
    await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash, { signal });
    const now = hash.digest('hex');
    if (now === known) continue;
    throw new BakeError({ code: 'ArtifactChanged', source: 'platform', message: `${path} was changed while it was tried out: its sha256 is ${now}, and was ${known}`, hint: 'another program has written to it; build it anew' });
  }
}
