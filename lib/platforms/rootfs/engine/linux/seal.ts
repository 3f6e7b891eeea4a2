import { join } from 'node:path';
import type { StepContext } from '../../../../engine/handler.js';
import type { SealOptions } from '../rootfs-port.js';
import { commandFailure } from './command-failure.js';
import { inRoot } from './in-root.js';
import { placeholderMark } from './machine-script.js';
import { runInSpaces } from './spaces.js';

/**
 * Verbs and paths, in pairs. Links below a path are removed, never followed. `machine-id` is emptied and not removed,
 * because an empty one is made anew at the first boot, see machine-id(5).
 */
const script = `
set -eu
while [ $# -gt 0 ]; do
  verb=$1 path=$2
  shift 2
  [ -e "$path" ] || continue
  case $verb in
    empty) find "$path" -xdev -mindepth 1 -delete ;;
    remove) rm -rf --one-file-system -- "$path" ;;
    truncate) [ ! -f "$path" ] || : > "$path" ;;
    remove-files) find "$path" -xdev -type f -delete ;;
    truncate-files) find "$path" -xdev -type f -size +0 -exec truncate --size=0 {} + ;;
    remove-old) find "$path" -xdev -maxdepth 1 -type f -name '*-old' -delete ;;
    remove-caches) find "$path" -xdev -maxdepth 1 -type f -name '*.bin' -delete ;;
    remove-placeholder) ! head -n 2 "$path" | grep -qxF "$mark" || rm -f -- "$path" ;;
  esac
done`;

/** Removes from a tree in which nothing runs what building left in it, and what differs from one build to the next. */
export async function sealTree(tree: string, { cleanPackageCache, clearLogs }: SealOptions, ctx: StepContext): Promise<void> {
  const work: (readonly [verb: string, path: string])[] = [
    ['remove-placeholder', '/etc/resolv.conf'], ['remove-placeholder', '/usr/sbin/policy-rc.d'],
    ['empty', '/dev'], ['empty', '/proc'], ['empty', '/sys'], ['empty', '/tmp'], ['empty', '/var/tmp'],
    ['truncate', '/etc/machine-id'], ['remove', '/var/lib/dbus/machine-id'],
    ['remove', '/var/lib/systemd/random-seed'], ['remove', '/var/lib/systemd/credential.secret'],
    ['remove', '/var/cache/ldconfig/aux-cache'],
    ['remove-old', '/var/lib/dpkg'], ['remove-old', '/var/cache/debconf'],
  ];
  if (cleanPackageCache) work.push(['empty', '/var/lib/apt/lists'], ['remove-files', '/var/cache/apt/archives'], ['remove-caches', '/var/cache/apt']);
  if (clearLogs) work.push(['remove', '/var/log/journal'], ['truncate-files', '/var/log']);
  const args: string[] = [];
  for (const [verb, path] of work) args.push(verb, verb === 'remove' ? await entryInRoot(tree, path) : await inRoot(tree, path));
  const result = await runInSpaces(ctx, ['/bin/sh', '-c', script, 'sh', ...args], { env: { mark: placeholderMark } });
  if (result.code !== 0) throw commandFailure(result, { code: 'RootfsSealFailed', what: `${tree} could not be cleaned`, where: tree, hint: 'see whether a provisioner made files that cannot be removed (chattr +i)' });
}

/** The entry itself, if it is a link: what it leads to is somebody else's. */
async function entryInRoot(tree: string, path: string): Promise<string> {
  const slash = path.lastIndexOf('/');
  return join(await inRoot(tree, path.slice(0, slash)), path.slice(slash + 1));
}
