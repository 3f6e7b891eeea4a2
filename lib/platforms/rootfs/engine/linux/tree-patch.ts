import { copyFile, mkdir, rename, rm } from 'node:fs/promises';
import type { StepContext } from '../../../../engine/handler.js';
import type { PatchFiles } from '../rootfs-port.js';
import { commandFailure } from './command-failure.js';
import { runInSpaces } from './spaces.js';

/** With everything that a tree has; what the kernel fills in is not on its file system. */
const fidelity = ['--one-file-system', '--format=posix', '--numeric-owner', '--xattrs', '--xattrs-include=*', '--acls', '--force-local'];

/**
 * Writes what has changed in a tree since a state of it was noted, removed files included; all of it if there is no such
 * note. GNU tar finds that by the times at which the kernel last saw a change, which no program can set.
 * @throws BakeError `RootfsSaveFailed`, `DiskFull`
 */
export async function saveTreePatch(tree: string, { archive, since, note }: PatchFiles, ctx: StepContext): Promise<void> {
  const part = `${note}.part`;
  if (since === undefined) await rm(part, { force: true });
  else await copyFile(since, part);
  const result = await runInSpaces(ctx, ['tar', '--create', `--file=${archive}`, `--listed-incremental=${part}`, `--directory=${tree}`, ...fidelity, '--sparse', '--warning=no-file-ignored', '--warning=no-file-changed', '--warning=no-file-removed', '.']);
  // 1: something in the machine wrote to a file while it was read; it will be newer than the note.
  if (result.code !== 0 && result.code !== 1) throw commandFailure(result, { code: 'RootfsSaveFailed', what: 'the tree could not be saved', where: archive });
  await rename(part, note);
}

/** Makes `tree`, which does not exist yet, from patches, oldest first, and notes its state. @throws BakeError `RootfsRestoreFailed`, `DiskFull` */
export async function applyTreePatches(archives: readonly string[], tree: string, note: string, ctx: StepContext): Promise<void> {
  await mkdir(tree, { mode: 0o755 });
  for (const archive of archives) {
    const result = await runInSpaces(ctx, ['tar', '--extract', `--file=${archive}`, '--listed-incremental=/dev/null', `--directory=${tree}`, '--same-owner', '--preserve-permissions', '--delay-directory-restore', '--warning=no-timestamp', ...fidelity.filter((option) => option !== '--one-file-system' && !option.startsWith('--format'))]);
    if (result.code !== 0) throw commandFailure(result, { code: 'RootfsRestoreFailed', what: 'a checkpoint of the tree could not be unpacked', where: tree });
  }
  // Into /dev/null tar only looks at names and times, and reads no file.
  await saveTreePatch(tree, { archive: '/dev/null', note }, ctx);
}
