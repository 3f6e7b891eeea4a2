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

/** Bytes that compress, and differ by the seed: texts, runs of zeros and noise. */
export function diskLike(size: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(size);
  let state = seed;
  for (let at = 0; at < size; at += 4_096) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    if (state % 3 === 0) continue;
    const end = Math.min(at + 4_096, size);
    for (let index = at; index < end; index++) {
      if (state % 3 === 1) bytes[index] = 'a line of some text file, over and over\n'.charCodeAt((index + state) % 40);
      else { state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0; bytes[index] = state >>> 24; }
    }
  }
  return bytes;
}
