import { resolve } from 'node:path';
import { BakeError } from '../../../../core/bake-error.js';
import type { StepContext } from '../../../../engine/handler.js';
import { snapshotMark } from '../../steps.js';
import type { TreeSpec } from '../rootfs-port.js';
import { BootstrapProgress } from './bootstrap-progress.js';
import { bootstrapFailure } from './bootstrap-failure.js';
import { runInSpaces } from './spaces.js';

/** @throws BakeError `CommandNotFound` */
export async function checkMmdebstrap(ctx: StepContext): Promise<void> {
  try {
    await ctx.exec.run({ command: 'mmdebstrap', args: ['--version'], signal: ctx.signal });
  } catch (error) {
    if (!BakeError.is(error) || error.code !== 'CommandNotFound') throw error;
    throw error.with({ hint: 'install it: sudo apt-get install mmdebstrap; or start from a tarball instead of a suite' });
  }
}

/** The arguments that make `tree` as the spec says. */
export function mmdebstrapArgs(spec: TreeSpec, tree: string, project: string): readonly string[] {
  const list = (option: string, items: readonly string[] | undefined) => (items === undefined || items.length === 0 ? [] : [`--${option}=${items.join(',')}`]);
  return [
    '--verbose', '--mode=root', '--format=directory',
    // /sys is the network namespace's, which is the computer's: it cannot be mounted by who does not own that, and no package needs it.
    '--skip=chroot/mount/sys',
    ...list('variant', spec.variant === undefined ? undefined : [spec.variant]),
    ...list('include', spec.packages), ...list('components', spec.components),
    ...list('architectures', spec.architecture === undefined ? undefined : [spec.architecture]),
    ...(spec.keyring ?? []).map((path) => `--keyring=${resolve(project, path)}`),
    ...(spec.aptOptions ?? []).map((option) => `--aptopt=${option}`),
    // What an archive has kept is older than it was meant to be used.
    ...(spec.snapshot === undefined ? [] : ['--aptopt=Acquire::Check-Valid-Until "false"']),
    '--', spec.suite ?? '', tree, ...(spec.mirrors ?? []).map((mirror) => mirror.replaceAll(snapshotMark, spec.snapshot ?? snapshotMark)),
  ];
}

/**
 * Bootstraps a tree in namespaces of its own, in which mmdebstrap is root. The names of this computer that it leaves in
 * the tree (resolv.conf, hostname) are removed, so that two computers make the same tree.
 * @throws BakeError `RootfsBootstrapFailed`, `MirrorUnreachable`, `DiskFull`
 */
export async function runMmdebstrap(spec: TreeSpec, tree: string, scratch: string, ctx: StepContext): Promise<void> {
  const progress = new BootstrapProgress(ctx);
  const onLine = (line: string) => progress.line(line);
  const script = 'umask 022 && mmdebstrap "$@"; code=$?; [ "$code" = 0 ] && rm -f -- "$tree/etc/resolv.conf" "$tree/etc/hostname"; exit "$code"';
  const result = await runInSpaces(ctx, ['/bin/sh', '-c', script, 'sh', ...mmdebstrapArgs(spec, tree, ctx.run.project)], {
    onStdout: onLine, onStderr: onLine, env: { tree, TMPDIR: scratch, SOURCE_DATE_EPOCH: String(spec.clampTime) },
  });
  if (result.code !== 0) throw bootstrapFailure(progress.tail, spec);
}
