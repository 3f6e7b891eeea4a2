import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, rename, rm, stat } from 'node:fs/promises';
import { PassThrough, Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { RemoteResult, TransferOptions, UploadOptions } from '../../../core/communicator.js';
import { shellQuote } from '../../../core/quote.js';
import { metered } from './metered.js';
import type { RunOptions } from './run-command.js';
import { assertSucceeded, transferFailed } from './transfer-error.js';

export type Run = (options: RunOptions) => Promise<RemoteResult>;

const readSize = 1024 * 1024;

/** What is to be uploaded, opened. */
export interface Content {
  readonly stream: Readable | Uint8Array;
  readonly mode: number;
  readonly total?: number;
}

/** @throws BakeError `UploadFailed` if there is no such local file */
export async function openContent(source: string | Uint8Array | Readable, mode: number | undefined): Promise<Content> {
  if (source instanceof Readable) return { stream: source, mode: mode ?? 0o644 };
  if (source instanceof Uint8Array) return { stream: source, mode: mode ?? 0o644, total: source.byteLength };
  const facts = await stat(source).catch((error: Error) => { throw transferFailed('UploadFailed', source, error.message, error); });
  if (!facts.isFile()) throw transferFailed('UploadFailed', source, 'it is not a file');
  return { stream: createReadStream(source, { highWaterMark: readSize }), mode: mode ?? facts.mode & 0o7777, total: facts.size };
}

/** Sends one file through the standard input of one command; nobody else can read it before it has its mode. */
export async function uploadWithCat(run: Run, source: string | Uint8Array | Readable, destination: string, options: UploadOptions): Promise<void> {
  const { stream, mode, total } = await openContent(source, options.mode);
  const target = operand(destination);
  const stderr: string[] = [];
  const result = await run({
    command: `umask 077 && cat > ${target} && chmod ${mode.toString(8)} ${target}`,
    stdin: stream instanceof Uint8Array ? stream : metered(stream, options.onProgress, total),
    onStderr: (line) => { stderr.push(line); },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  assertSucceeded(result, 'UploadFailed', destination, stderr);
  if (stream instanceof Uint8Array) options.onProgress?.(stream.byteLength, stream.byteLength);
}

/** Fetches one file through the standard output of one command; its mode comes along, but no set-id bit. */
export async function downloadWithCat(run: Run, source: string, destination: string, options: TransferOptions): Promise<void> {
  const file = operand(source);
  const part = `${destination}.${randomBytes(4).toString('hex')}.part`;
  const output = createWriteStream(part, { mode: 0o600 });
  const written = finished(output);
  written.catch(() => {}); // seen below, or by the command that feeds it
  const stderr: string[] = [];
  let mode: number | undefined;
  let total: number | undefined;
  const onStderr = (line: string) => {
    const facts = /^bake-stat:([0-7]+) (\d+)$/.exec(line);
    if (facts === null) stderr.push(line);
    else [mode, total] = [Number.parseInt(facts[1]!, 8) & 0o777, Number(facts[2])];
  };
  try {
    const meter = new PassThrough();
    let done = 0;
    meter.on('data', (chunk: Buffer) => options.onProgress?.(done += chunk.length, total));
    meter.pipe(output).on('error', (error) => meter.destroy(error));
    const result = await run({
      // GNU and busybox know -c, the BSDs -f; without either only the mode is lost.
      command: `{ stat -L -c 'bake-stat:%a %s' ${file} || stat -L -f 'bake-stat:%Lp %z' ${file}; } 3>&2 2>/dev/null >&3 3>&-; cat ${file}`,
      stdout: meter, onStderr, ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    assertSucceeded(result, 'DownloadFailed', source, stderr);
    await written;
    await chmod(part, mode ?? 0o644);
    await rename(part, destination);
  } catch (error) {
    output.destroy();
    await rm(part, { force: true });
    options.signal?.throwIfAborted();
    throw error instanceof Error && 'syscall' in error ? transferFailed('DownloadFailed', source, error.message, error) : error;
  }
}

/** A path as one word of a command line that no command takes for an option. */
export function operand(path: string): string {
  return shellQuote(path.startsWith('-') ? `./${path}` : path);
}
