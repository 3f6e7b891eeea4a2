import { mkdir, stat } from 'node:fs/promises';
import type { Artifact } from '../../../../core/artifact.js';
import { BakeError } from '../../../../core/bake-error.js';
import type { StepContext } from '../../../../engine/handler.js';
import { runAsRoot } from './tools.js';

/** What the kernel fills in itself; making the devices in an archive would need more rights than a user has. */
const kernelFolders = ['dev', 'proc', 'sys'].flatMap((name) => [`${name}/*`, `./${name}/*`, `/${name}/*`]);

/**
 * The root tree of an artifact in a folder of our own, with owners, capabilities and all.
 * @throws BakeError `WrongArtifact`, `FileNotFound`, `RootfsTarballInvalid`, `DiskFull`
 */
export async function unpack({ type, id, files: [file] }: Artifact, tree: string, ctx: StepContext): Promise<void> {
  if (!['rootfs.tarball', 'rootfs.directory', 'docker.export', 'files'].includes(type)) {
    throw new BakeError({ code: 'WrongArtifact', message: `an artifact of type ${type} is no root tree that can be made bootable`, hint: "give that of a BootstrapSource with output: { format: 'tarball' }, its default, or 'directory'" });
  }
  const path = file?.path ?? id; // an artifact that is a folder lists no files
  const facts = await stat(path).catch(() => undefined);
  if (facts === undefined) throw new BakeError({ code: 'FileNotFound', message: `the root tree ${path} is not there any more`, hint: 'build the image that makes it again' });
  await mkdir(tree, { recursive: true, mode: 0o755 });
  if (facts.isDirectory()) {
    await runAsRoot(ctx, 'cp', ['--archive', '--reflink=auto', '--no-target-directory', path, tree]);
    return;
  }
  try {
    await runAsRoot(ctx, 'tar', [
      '--extract', `--file=${path}`, `--directory=${tree}`, '--force-local', '--numeric-owner', '--same-owner', '--preserve-permissions',
      '--xattrs', '--xattrs-include=security.capability', '--xattrs-include=user.*', '--acls', '--delay-directory-restore', '--warning=no-timestamp', '--warning=no-unknown-keyword',
      '--anchored', ...kernelFolders.map((pattern) => `--exclude=${pattern}`),
    ]);
  } catch (error) {
    if (!BakeError.is(error) || error.code !== 'BootableDiskFailed') throw error;
    throw new BakeError({ code: 'RootfsTarballInvalid', message: `${path} cannot be unpacked: ${error.message}`, hint: 'give a whole tar archive of a root tree; a compressed one needs its program (xz, zstd, gzip) on this machine', output: error.output, cause: error });
  }
}
