import { mkdir, readdir, stat } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { TransferOptions } from '../../../core/communicator.js';
import type { ExecResult } from '../../../core/ports.js';
import type { Inside } from './chroot-communicator.js';
import { insideFailure, transferring } from './transfer-error.js';
import { guarded, meter } from './transfer-file.js';

// GNU tar would put a folder in the place of a link to one; other tars follow the link anyway and do not know the options.
const unpackScript = `
[ -d "$1" ] || { mkdir -p -- "$1" && chmod -- "$2" "$1"; } || exit
[ "$3" = empty ] && exit
case $(tar --version 2>/dev/null) in *"GNU tar"*) keep="--keep-directory-symlink --no-overwrite-dir --numeric-owner";; *) keep=;; esac
exec tar -x $keep -p -f - -C "$1"`;

/** Writes what is in a local folder into one of the machine; everything there belongs to root. @throws BakeError `UploadFailed`, `ConnectionLost` */
export function uploadFolder(inside: Inside, source: string, destination: string, { signal, onProgress }: TransferOptions): Promise<void> {
  return transferring('UploadFailed', destination, signal, async () => {
    const { mode } = await stat(source);
    const names = await readdir(source);
    const unpack = (stdin: PassThrough | undefined, stop: AbortSignal | undefined) => inside.run({
      argv: ['/bin/sh', '-c', unpackScript, 'sh', guarded(destination), (mode & 0o7777).toString(8), names.length === 0 ? 'empty' : 'full'],
      ...(stdin === undefined ? {} : { stdin }), ...(stop === undefined ? {} : { signal: stop }),
    });
    if (names.length === 0) {
      const result = await unpack(undefined, signal);
      if (result.code !== 0) throw await insideFailure(inside, result);
      return;
    }
    // The folder itself is not in the archive, so that the one inside keeps its mode.
    const args = ['--create', '--file=-', `--directory=${source}`, '--owner=0', '--group=0', '--numeric-owner', '--null', '--verbatim-files-from', '--files-from=-'];
    await throughPipe(signal, onProgress,
      (stdout, stop) => inside.host.exec.run({ command: 'tar', args, stdin: names.sort().join('\0'), stdout, signal: stop }).then((result) => expectSuccess(result)),
      async (stdin, stop) => {
        const result = await unpack(stdin, stop);
        if (result.code !== 0) throw await insideFailure(inside, result);
      });
  });
}

/** Writes what is in a folder of the machine into a local one; everything there belongs to who runs `bake`. @throws BakeError `DownloadFailed`, `ConnectionLost` */
export function downloadFolder(inside: Inside, source: string, destination: string, { signal, onProgress }: TransferOptions): Promise<void> {
  return transferring('DownloadFailed', source, signal, async () => {
    const probe = await inside.run({ argv: ['/bin/sh', '-c', 'cd -- "$1"', 'sh', guarded(source)], ...(signal === undefined ? {} : { signal }) });
    if (probe.code !== 0) throw await insideFailure(inside, probe);
    await mkdir(destination, { recursive: true });
    // What comes out of the machine is not trusted: tar keeps names and links inside the folder, and without the
    // capability no device can come out of it.
    const tar = ['tar', '--extract', '--file=-', `--directory=${destination}`, '--preserve-permissions', '--no-same-owner', '--no-overwrite-dir', '--delay-directory-restore'];
    const [command = 'tar', ...args] = process.getuid?.() === 0 ? ['setpriv', '--inh-caps=-mknod', '--bounding-set=-mknod', '--', ...tar] : tar;
    await throughPipe(signal, onProgress,
      async (stdout, stop) => {
        const result = await inside.run({ argv: ['tar', '-c', '-f', '-', '-C', guarded(source), '.'], stdout, signal: stop });
        if (result.code !== 0) throw await insideFailure(inside, result);
      },
      (stdin, stop) => inside.host.exec.run({ command, args, stdin, signal: stop }).then((result) => expectSuccess(result)));
  });
}

/** Runs a producer and a consumer with a pipe between them; if one fails, the other one is ended. */
async function throughPipe(
  signal: AbortSignal | undefined, onProgress: TransferOptions['onProgress'],
  produce: (stdout: NodeJS.WritableStream, stop: AbortSignal) => Promise<void>, consume: (stdin: PassThrough, stop: AbortSignal) => Promise<void>,
): Promise<void> {
  const failure = new AbortController();
  const stop = AbortSignal.any([failure.signal, ...(signal === undefined ? [] : [signal])]);
  const gauge = meter(onProgress, undefined);
  const pipe = new PassThrough();
  const orStop = (part: Promise<void>) => part.catch((error: unknown) => { failure.abort(error); throw error; });
  // A consumer that has what it wants stops reading; what is left must not block the producer.
  const consuming = consume(pipe, stop).then(() => { pipe.resume(); });
  await Promise.all([orStop(produce(gauge, stop)), orStop(consuming), orStop(pipeline(gauge, pipe, { signal: stop }))]);
}

function expectSuccess({ code, signal, stderr }: ExecResult): void {
  if (code !== 0) throw new Error(stderr.trim().split('\n')[0] || `tar ended with ${signal ?? code}`);
}
