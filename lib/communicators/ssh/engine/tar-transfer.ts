import { chmod, mkdir, readdir, rmdir, stat } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { BakeError } from '../../../core/bake-error.js';
import type { TransferOptions } from '../../../core/communicator.js';
import type { Exec } from '../../../core/ports.js';
import { operand, type Run } from './cat-transfer.js';
import { lenientSink } from './lenient-sink.js';
import { metered } from './metered.js';
import { assertSucceeded, transferFailed } from './transfer-error.js';

/** What the machine's command exits with where it has no tar. */
const noTar = 127;

/** Local tar programs of Apple would send a second file for each one. */
const env = { COPYFILE_DISABLE: '1' };

/**
 * Sends a folder as one stream from the local tar to the machine's. False if the machine has no tar; then nothing was
 * done. The folder itself is not in the stream: one that is there already keeps its mode and owner.
 */
export async function uploadWithTar(run: Run, exec: Exec, source: string, destination: string, options: TransferOptions): Promise<boolean> {
  const [facts, names] = await Promise.all([stat(source), readdir(source)]).catch((error: Error) => { throw transferFailed('UploadFailed', source, error.message, error); });
  const target = operand(destination);
  const makeFolder = `[ -d ${target} ] || { mkdir -p ${target} && chmod ${(facts.mode & 0o7777).toString(8)} ${target}; }`;
  const over = new AbortController();
  const signal = options.signal === undefined ? over.signal : AbortSignal.any([options.signal, over.signal]);
  const archive = new PassThrough({ highWaterMark: 1024 * 1024 });
  const stderr: string[] = [];
  const unpack = names.length === 0 ? '' : ` && tar -xpof - -C ${target}`;
  const unpacking = run({
    command: `command -v tar >/dev/null || exit ${noTar}; { ${makeFolder}; }${unpack}`,
    stdin: names.length === 0 ? '' : metered(archive, options.onProgress),
    onStderr: (line) => { stderr.push(line); },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  }).then((result) => {
    if (result.code !== 0) over.abort(new Error('the machine takes no more'));
    return result;
  }, (error: unknown) => {
    over.abort(error);
    throw error;
  });
  const packing = names.length === 0 ? undefined : exec.run({
    command: 'tar', args: ['-cf', '-', '-C', source, '--null', '-T', '-'], stdin: names.map((name) => `./${name}`).join('\0'), stdout: lenientSink(archive), env, signal,
  }).catch((error: unknown) => {
    archive.destroy(error as Error);
    throw error;
  });
  packing?.catch(() => {}); // the machine's side is asked first
  const result = await unpacking;
  if (result.code === noTar) return false;
  assertSucceeded(result, 'UploadFailed', destination, stderr);
  const packed = await packing;
  if (packed !== undefined && packed.code !== 0) throw transferFailed('UploadFailed', source, packed.stderr.trim() || `tar ended with ${packed.code}`);
  return true;
}

/**
 * Fetches a folder as one stream. False if the machine has no tar. What comes from the machine is not trusted: the local
 * tar keeps inside the destination, gives no file away to other users and sets no set-id bits.
 */
export async function downloadWithTar(run: Run, exec: Exec, source: string, destination: string, options: TransferOptions): Promise<boolean> {
  const before = await stat(destination).catch(() => undefined);
  await mkdir(destination, { recursive: true }).catch((error: Error) => { throw transferFailed('DownloadFailed', destination, error.message, error); });
  const archive = new PassThrough({ highWaterMark: 1024 * 1024 });
  const over = new AbortController();
  const signal = options.signal === undefined ? over.signal : AbortSignal.any([options.signal, over.signal]);
  const stderr: string[] = [];
  const stdin = metered(archive, options.onProgress);
  try {
    const unpacking = exec.run({ command: '/bin/sh', args: ['-c', 'umask 000 && exec tar -xof - --no-same-permissions -C "$1"', 'sh', destination], stdin, env, signal });
    unpacking.then((result) => { if (result.code !== 0) archive.destroy(new Error('the local tar takes no more')); }, () => {});
    const result = await run({
      command: `command -v tar >/dev/null || exit ${noTar}; tar -cf - -C ${operand(source)} .`,
      stdout: archive, onStderr: (line) => { stderr.push(line); }, ...(options.signal === undefined ? {} : { signal: options.signal }),
    }).catch(async (error: unknown) => {
      over.abort(error);
      const unpacked = await unpacking.catch(() => undefined);
      throw unpacked === undefined || unpacked.code === 0 ? error : transferFailed('DownloadFailed', destination, unpacked.stderr.trim());
    });
    if (result.code === noTar) {
      over.abort(new Error('there is nothing to unpack'));
      await unpacking.catch(() => {});
      return false;
    }
    const unpacked = result.code === 0 || onlyChanged(result.code, stderr) ? await unpacking : await unpacking.catch(() => undefined);
    if (!onlyChanged(result.code, stderr)) assertSucceeded(result, 'DownloadFailed', source, stderr);
    if (unpacked !== undefined && unpacked.code !== 0) throw transferFailed('DownloadFailed', destination, unpacked.stderr.trim() || `tar ended with ${unpacked.code}`);
    if (before !== undefined) await chmod(destination, before.mode & 0o7777);
    return true;
  } catch (error) {
    if (before === undefined) await rmdir(destination).catch(() => {}); // only if nothing came
    if (options.signal?.aborted) throw options.signal.reason;
    throw BakeError.is(error) ? error : transferFailed('DownloadFailed', source, (error as Error).message, error);
  }
}

/** GNU tar's complaint about files that grew while it read them, such as logs: what it had read is there. */
function onlyChanged(code: number | null, stderr: readonly string[]): boolean {
  return code === 1 && stderr.length > 0 && stderr.every((line) => /file changed as we read it|file removed before we read it/i.test(line));
}
