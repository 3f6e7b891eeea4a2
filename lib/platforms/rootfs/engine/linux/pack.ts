import type { Writable } from 'node:stream';
import { BakeError } from '../../../../core/bake-error.js';
import type { StepContext } from '../../../../engine/handler.js';
import type { Compression, PackOptions } from '../rootfs-port.js';
import { commandFailure } from './command-failure.js';
import { runInSpaces } from './spaces.js';

/**
 * Writes a tree as a tar archive, the same bytes for the same tree: names in order, owners as numbers, times clamped, and
 * nothing of the computer that made it. The format is POSIX's, because capabilities of files need it.
 * @throws BakeError `RootfsPackFailed`, `DiskFull`, `CommandNotFound`
 */
export async function packTree(tree: string, to: { readonly file: string } | { readonly stream: Writable }, { clampTime, compression }: PackOptions, ctx: StepContext): Promise<void> {
  const compressor = compression === 'none' ? undefined : await compressorFor(compression, ctx);
  const result = await runInSpaces(ctx, [
    'tar', '--create', `--file=${'file' in to ? to.file : '-'}`, `--directory=${tree}`, '--force-local', '--one-file-system',
    '--format=posix', '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime',
    '--sort=name', `--mtime=@${clampTime}`, '--clamp-mtime', '--numeric-owner',
    '--xattrs', '--xattrs-include=security.capability', '--xattrs-include=user.*', '--acls', '--warning=no-file-ignored',
    ...(compressor === undefined ? [] : [`--use-compress-program=${compressor.join(' ')}`]),
    '.',
  ], 'file' in to ? {} : { stdout: to.stream });
  if (result.code !== 0) throw commandFailure(result, { code: 'RootfsPackFailed', what: 'the tree could not be packed', where: 'file' in to ? to.file : tree });
}

/** Sets the time of everything newer than the clamp to the clamp, links themselves included. */
export async function clampTreeTimes(tree: string, clampTime: number, ctx: StepContext): Promise<void> {
  const result = await runInSpaces(ctx, ['find', tree, '-xdev', '-newermt', `@${clampTime}`, '-exec', 'touch', '--no-dereference', `--date=@${clampTime}`, '--', '{}', '+']);
  if (result.code !== 0) throw commandFailure(result, { code: 'RootfsPackFailed', what: `the times in ${tree} could not be set`, where: tree });
}

/** Every one uses all cores and puts no time or name into what it writes. */
const compressors: Readonly<Record<Exclude<Compression, 'none'>, readonly (readonly [string, ...string[]])[]>> = {
  gzip: [['pigz', '-n'], ['gzip', '-n']],
  zstd: [['zstd', '-q', '-T0']],
  xz: [['xz', '-T0']],
};

/** The program that compresses on this computer. @throws BakeError `CommandNotFound` */
export async function compressorFor(compression: Exclude<Compression, 'none'>, ctx: Pick<StepContext, 'exec' | 'signal'>): Promise<readonly [string, ...string[]]> {
  for (const candidate of compressors[compression]) {
    const { code } = await ctx.exec.run({ command: '/bin/sh', args: ['-c', 'command -v "$1"', 'sh', candidate[0]], signal: ctx.signal });
    if (code === 0) return candidate;
  }
  const name = compressors[compression].map(([program]) => program).join(' or ');
  throw new BakeError({ code: 'CommandNotFound', message: `the command ${name} is not on this machine, and compression is "${compression}"`, hint: `install it: sudo apt-get install ${{ gzip: 'pigz', zstd: 'zstd', xz: 'xz-utils' }[compression]}; or choose another compression` });
}
