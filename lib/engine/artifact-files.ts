import { lstat, readdir, readlink } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import type { Stats } from 'node:fs';
import type { Artifact } from '../core/artifact.js';
import { BakeError } from '../core/bake-error.js';

/** A file, folder or link that an artifact consists of. */
export interface ArtifactEntry {
  /** Absolute path. */
  readonly path: string;
  /** With slashes, relative to the folder that all of the artifact's files share. */
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink';
  /** Bytes; 0 for what is not a file. */
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  /** Where a link leads. */
  readonly target?: string;
}

/**
 * All an artifact consists of, folders opened, sorted by name; links are not followed.
 * @throws BakeError `NoFiles` if the artifact is not made of files, `ArtifactFileMissing`, `NotAFile` for a device, a socket or a pipe
 */
export async function artifactEntries(artifact: Artifact): Promise<readonly ArtifactEntry[]> {
  const paths = [...new Set(artifact.files.map(({ path }) => path))];
  if (paths.length === 0) {
    throw new BakeError({
      code: 'NoFiles',
      message: `"${artifact.title}" (${artifact.type}) is not made of files`,
      hint: artifact.type === 'docker.image' ? 'save the image to a file first: new DockerSave(…), and give that as input' : 'give a post-processor that writes files as input',
    });
  }
  const top = commonFolder(paths);
  const found = new Map<string, ArtifactEntry>();
  for (const path of paths) await add(path, top, found);
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

async function add(path: string, top: string, found: Map<string, ArtifactEntry>): Promise<void> {
  const stats = await lstat(path).catch((cause: unknown) => {
    throw new BakeError({ code: 'ArtifactFileMissing', message: `${path} is part of the artifact, but it cannot be read`, hint: 'find out what removed it after the build made it', cause });
  });
  found.set(path, { path, name: relative(top, path).split(sep).join('/'), mode: stats.mode & 0o7777, size: stats.isFile() ? stats.size : 0, ...await kindOf(path, stats) });
  if (stats.isDirectory()) for (const name of await readdir(path)) await add(join(path, name), top, found);
}

async function kindOf(path: string, stats: Stats): Promise<Pick<ArtifactEntry, 'type' | 'target'>> {
  if (stats.isFile()) return { type: 'file' };
  if (stats.isDirectory()) return { type: 'directory' };
  if (stats.isSymbolicLink()) return { type: 'symlink', target: await readlink(path) };
  throw new BakeError({ code: 'NotAFile', message: `${path} is a device, a socket or a pipe`, hint: 'make a tarball of the root tree instead of a folder' });
}

/** The deepest folder that holds all paths; of one path, the folder it is in. */
function commonFolder(paths: readonly string[]): string {
  const [first = '', ...others] = paths;
  let folder = dirname(first);
  while (folder !== dirname(folder) && others.some((path) => !path.startsWith(folder + sep))) folder = dirname(folder);
  return folder;
}

/** Whether the entry is that file itself, not something in a folder. */
export function isOnlyFile(entries: readonly ArtifactEntry[]): boolean {
  const [only] = entries;
  return entries.length === 1 && only?.type === 'file' && only.name === basename(only.path);
}

/** The error of a file that something still writes to. */
export function fileChanged(path: string): BakeError {
  return new BakeError({ code: 'FileChanged', message: `${path} changed while it was read`, hint: 'look for what still writes to it, such as another build with the same output' });
}
