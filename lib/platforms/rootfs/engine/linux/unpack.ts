import { mkdir, readdir, stat } from 'node:fs/promises';
import { BakeError } from '../../../../core/bake-error.js';
import type { StepContext } from '../../../../engine/handler.js';
import { commandFailure } from './command-failure.js';
import { runInSpaces } from './spaces.js';

/** What is not a root tree's own: the kernel fills these in. Archives name them with and without `./`. */
const kernelFolders = ['dev', 'proc', 'sys'].flatMap((name) => [`${name}/*`, `./${name}/*`, `/${name}/*`]);

/**
 * Unpacks a tarball into `tree`, as root of a namespace. GNU tar refuses names with `..`, takes absolute names as
 * relative ones and makes links out of the folder only at the very end, when nothing can be written through them; the
 * capability to make devices is dropped before.
 * @throws BakeError `RootfsTarballInvalid`, `DiskFull`
 */
export async function unpackTarball(archive: string, tree: string, ctx: StepContext): Promise<void> {
  const facts = await stat(archive).catch(() => undefined);
  if (facts === undefined || facts.isDirectory()) {
    throw new BakeError({ code: 'RootfsTarballInvalid', message: `the tarball ${archive} ${facts === undefined ? 'does not exist' : 'is a folder'}`, hint: 'give the path of a tar archive; a relative one starts at the folder of image.ts' });
  }
  await mkdir(tree, { mode: 0o755 });
  const result = await runInSpaces(ctx, [
    'setpriv', '--inh-caps=-mknod', '--bounding-set=-mknod', '--',
    'tar', '--extract', `--file=${archive}`, `--directory=${tree}`, '--force-local', '--numeric-owner', '--same-owner', '--preserve-permissions',
    '--xattrs', '--xattrs-include=security.capability', '--xattrs-include=user.*', '--acls', '--delay-directory-restore', '--warning=no-timestamp', '--warning=no-unknown-keyword',
    '--anchored', ...kernelFolders.map((pattern) => `--exclude=${pattern}`),
  ]);
  if (result.code !== 0 && !forgiveDevices(result.stderr, ctx)) throw unpackFailure(archive, result.stderr) ?? commandFailure(result, { code: 'RootfsTarballInvalid', what: `${archive} cannot be unpacked`, where: tree, hint: 'give a tar archive of a root tree; compressed ones need their program (xz, zstd, gzip, bzip2) on this computer' });
  if ((await readdir(tree)).length === 0) throw new BakeError({ code: 'RootfsTarballInvalid', message: `${archive} has nothing in it`, hint: 'give a tar archive of a root tree' });
}

/** Whether devices were all that tar could not make: those are left out with a warning. */
function forgiveDevices(stderr: string, ctx: StepContext): boolean {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !/Exiting with failure status|Removing leading/.test(line));
  const devices = lines.map((line) => /^tar: (.*): Cannot mknod: Operation not permitted$/.exec(line)?.[1]);
  if (lines.length === 0 || devices.some((name) => name === undefined)) return false;
  ctx.warn({ code: 'DevicesLeftOut', message: `devices in the tarball were left out: ${devices.slice(0, 5).join(', ')}${devices.length > 5 ? ', …' : ''}`, hint: 'whoever runs the image makes its devices' });
  return true;
}

/** The error behind what tar printed, where it is a known one. */
function unpackFailure(archive: string, stderr: string): BakeError | undefined {
  const invalid = (message: string, hint: string) => new BakeError({ code: 'RootfsTarballInvalid', message: `${archive} ${message}`, hint, output: stderr.trim().split('\n').slice(-20) });
  const [, hostile] = /^tar: (.*): Member name contains '\.\.'/m.exec(stderr) ?? [];
  if (hostile !== undefined) return invalid(`has an entry that leads out of the tree: ${hostile}`, 'do not trust that archive; make one with tar --create --directory=<tree> .');
  if (/does not look like a tar archive|not in (gzip|xz) format|unsupported format|File format not recognized|Unexpected EOF|unexpected end/i.test(stderr)) return invalid('is not a whole tar archive', 'give a tar archive of a root tree, plain or compressed; download it again if it was cut off');
  const [, owner] = /Cannot change ownership to (uid \d+, gid \d+): Invalid argument/.exec(stderr) ?? [];
  if (owner !== undefined) return invalid(`has a file of ${owner}, which is beyond this user's range of ids`, 'run bake as root, or give the user a larger range in /etc/subuid and /etc/subgid');
  return undefined;
}
