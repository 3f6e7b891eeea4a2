import { mkdir } from 'node:fs/promises';
import { dirname, posix, resolve } from 'node:path';
import { BakeError } from '../../../core/bake-error.js';
import type { Communicator } from '../../../core/communicator.js';
import type { StepContext } from '../../../engine/handler.js';
import { insideFolder } from './inside-folder.js';
import { transferProgress } from './progress.js';

/**
 * The rules of `upload`, the other way round. Nobody knows beforehand what a path without a slash at its end is on the
 * machine: it is taken for a file, and the machine is asked only if that fails.
 */
export async function download(machine: Communicator, source: string, destination: string, ctx: StepContext): Promise<void> {
  const local = resolve(ctx.run.project, destination);
  const name = posix.basename(source);
  const options = { signal: ctx.signal, onProgress: transferProgress(`download ${name}`, ctx) };
  if (source.endsWith('/')) {
    await mkdir(dirname(local), { recursive: true });
    return machine.downloadDirectory(source, local, options);
  }
  const file = destination.endsWith('/') ? insideFolder(local, name) : local;
  await mkdir(dirname(file), { recursive: true });
  try {
    await machine.download(source, file, options);
  } catch (error) {
    ctx.signal.throwIfAborted();
    const mayBeFolder = BakeError.is(error) && error.code === 'DownloadFailed';
    if (!mayBeFolder || !(await isFolder(machine, source, ctx.signal))) throw error;
    await mkdir(local, { recursive: true });
    await machine.downloadDirectory(source, insideFolder(local, name), options);
  }
}

/** The path goes as input, so it means the same to every login shell. */
async function isFolder(machine: Communicator, path: string, signal: AbortSignal): Promise<boolean> {
  const { code } = await machine.exec({ command: `/bin/sh -c 'IFS= read -r path;test -d "$path"'`, stdin: `${path}\n`, signal });
  return code === 0;
}
