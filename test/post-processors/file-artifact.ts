import { createHash } from 'node:crypto';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Artifact } from '../../lib/core/artifact.js';

/** An artifact of files or folders that are there. */
export function artifactOf(...paths: readonly string[]): Artifact {
  return { type: 'files', id: paths[0] ?? '', title: `${paths.length} files`, files: paths.map((path) => ({ path, size: statSync(path).size })), data: {} };
}

/** Writes files into a folder, and gives the artifact that they are. */
export function writeArtifact(folder: string, files: Readonly<Record<string, string | Uint8Array>>): Artifact {
  return artifactOf(...Object.entries(files).map(([name, content]) => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  }));
}

/** What an image on a daemon looks like. */
export const imageArtifact: Artifact = { type: 'docker.image', id: 'sha256:1234', title: 'web:latest', files: [], data: {} };

/** The same bytes for the same seed, as they stand on a disk: zeros, text and noise by turns; some 40 % of it when compressed. */
export function diskLike(size: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(size);
  const text = 'a line of some text file, over and over\n'.repeat(128);
  for (let at = 0, block = seed; at < size; at += 4_096, block++) {
    const part = bytes.subarray(at, at + 4_096);
    if (block % 3 === 0) part.set(createHash('shake256', { outputLength: part.length }).update(String(block)).digest());
    else if (block % 3 === 1) part.write(text, 'latin1');
  }
  return bytes;
}
