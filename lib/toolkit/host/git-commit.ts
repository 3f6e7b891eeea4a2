import type { Exec } from '../../core/ports.js';
import type { Commit } from '../../engine/cache/build-records.js';

/** Milliseconds; a work tree may be very large. */
const longestLook = 10_000;

/** The commit that a folder is at, and whether files of it in the folder have changed since; undefined if it is in no git work tree, or git is missing. */
export async function gitCommit(folder: string, exec: Exec): Promise<Commit | undefined> {
  const git = (...args: readonly string[]) => exec.run({ command: 'git', args: ['-C', folder, ...args], signal: AbortSignal.timeout(longestLook), env: { GIT_OPTIONAL_LOCKS: '0' } });
  try {
    const head = await git('rev-parse', '--verify', '--quiet', 'HEAD');
    const id = head.stdout.trim();
    if (head.code !== 0 || !/^[0-9a-f]{40,64}$/.test(id)) return undefined;
    // What is not tracked may be what builds have made.
    const changes = await git('status', '--porcelain', '--untracked-files=no', '--', '.');
    return { id, isDirty: changes.code !== 0 || changes.stdout.trim() !== '' };
  } catch {
    return undefined;
  }
}
