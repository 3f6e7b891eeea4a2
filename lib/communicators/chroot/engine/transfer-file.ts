import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PassThrough, Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { TransferOptions, UploadOptions } from '../../../core/communicator.js';
import type { Inside } from './chroot-communicator.js';
import { insideFailure, transferring } from './transfer-error.js';

// Nobody but root may read it before it has its mode: it may be a secret.
const writeScript = 'umask 077 && cat > "$1" && chmod -- "$2" "$1"';
const statScript = 'if [ -d "$1" ]; then echo "$1 is a folder" >&2; exit 1; fi; stat -L -c "%a %s" -- "$1"';

/** Writes one file inside the machine. @throws BakeError `UploadFailed`, `ConnectionLost` */
export function uploadFile(inside: Inside, source: string | Uint8Array | Readable, destination: string, { mode, signal, onProgress }: UploadOptions): Promise<void> {
  return transferring('UploadFailed', destination, signal, async () => {
    const facts = typeof source === 'string' ? await stat(source) : undefined;
    if (facts?.isDirectory()) throw new Error(`${String(source)} is a folder`);
    const bits = (mode ?? (facts === undefined ? 0o644 : facts.mode & 0o7777)).toString(8);
    const content = typeof source === 'string' ? createReadStream(source) : source instanceof Uint8Array ? Readable.from([source]) : source;
    const total = facts?.size ?? (source instanceof Uint8Array ? source.byteLength : undefined);
    const stop = new AbortController();
    const stdin = new PassThrough();
    const feeding = pipeline(content, meter(onProgress, total), stdin, { signal: AbortSignal.any([stop.signal, ...(signal === undefined ? [] : [signal])]) });
    const writing = inside.run({ argv: ['/bin/sh', '-c', writeScript, 'sh', guarded(destination), bits], stdin, signal: AbortSignal.any([stop.signal, ...(signal === undefined ? [] : [signal])]) });
    feeding.catch((error: unknown) => stop.abort(error));
    try {
      const result = await writing;
      if (result.code !== 0) throw await insideFailure(inside, result);
      await feeding;
    } catch (error) {
      stop.abort(error);
      await feeding.catch(() => {});
      await inside.run({ argv: ['rm', '-f', '--', destination] }).catch(() => {}); // half a file is worse than none
      throw error;
    }
  });
}

/** Reads one file of the machine. @throws BakeError `DownloadFailed`, `ConnectionLost` */
export function downloadFile(inside: Inside, source: string, destination: string, { signal, onProgress }: TransferOptions): Promise<void> {
  return transferring('DownloadFailed', source, signal, async () => {
    const facts = await inside.run({ argv: ['/bin/sh', '-c', statScript, 'sh', guarded(source)], ...(signal === undefined ? {} : { signal }) });
    if (facts.code !== 0) throw await insideFailure(inside, facts);
    const [bits = '600', size = '0'] = facts.stdout.trim().split(' ');
    const part = join(dirname(destination), `.${basename(destination)}.${process.pid}.part`);
    const gauge = meter(onProgress, Number(size));
    try {
      const writing = pipeline(gauge, createWriteStream(part, { mode: 0o600 }), signal === undefined ? {} : { signal });
      const [result] = await Promise.all([inside.run({ argv: ['cat', '--', guarded(source)], stdout: gauge, ...(signal === undefined ? {} : { signal }) }), writing]);
      if (result.code !== 0) throw await insideFailure(inside, result);
      // Bits that give another user's rights mean nothing outside the tree that they were set in.
      await chmod(part, Number.parseInt(bits, 8) & 0o777);
      await rename(part, destination);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  });
}

/** A path that is no option for any program. */
export function guarded(path: string): string {
  return path.startsWith('-') ? `./${path}` : path;
}

export function meter(onProgress: TransferOptions['onProgress'], total: number | undefined): Transform {
  let done = 0;
  return new Transform({
    transform(chunk: Uint8Array, _encoding, next) {
      done += chunk.byteLength;
      onProgress?.(done, total);
      next(null, chunk);
    },
  });
}
