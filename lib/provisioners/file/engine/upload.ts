import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { BakeError } from '../../../core/bake-error.js';
import type { Communicator } from '../../../core/communicator.js';
import type { StepContext } from '../../../engine/handler.js';
import { insideFolder } from './inside-folder.js';
import { transferProgress } from './progress.js';

/** A file or folder of this machine. */
export interface LocalSource {
  /** Absolute. */
  readonly path: string;
  readonly name: string;
  readonly type: 'file' | 'directory';
  /** What is in the folder, not the folder itself. */
  readonly contents: boolean;
}

/** @throws BakeError `FileNotFound` */
export async function localSource(given: string, project: string): Promise<LocalSource> {
  const path = resolve(project, given);
  const info = await stat(path).catch((cause: unknown) => {
    throw new BakeError({ code: 'FileNotFound', message: `"${given}" does not exist`, hint: `bake looked at ${path} when the step ran: see whether an earlier step makes it`, cause });
  });
  return { path, name: basename(path), type: info.isDirectory() ? 'directory' : 'file', contents: given.endsWith('/') };
}

/**
 * A file goes to the destination, or under its own name into a destination that ends in a slash. A folder goes into the
 * destination under its own name, its contents go into the destination itself.
 */
export async function upload(machine: Communicator, source: LocalSource, { destination, mode }: { readonly destination: string; readonly mode?: number | undefined }, ctx: StepContext): Promise<void> {
  const { path, name, type, contents } = source;
  const options = { signal: ctx.signal, onProgress: transferProgress(`upload ${name}`, ctx) };
  if (type === 'file') {
    if (contents) throw new BakeError({ code: 'WrongFileType', message: `"${name}/" is a file, not a folder`, hint: 'leave out the slash at its end' });
    await machine.upload(path, destination.endsWith('/') ? insideFolder(destination, name) : destination, { ...options, ...(mode === undefined ? {} : { mode }) });
  } else {
    if (mode !== undefined) throw new BakeError({ code: 'WrongFileType', message: `mode is for files, and "${name}" is a folder`, hint: 'leave out mode: the files of a folder keep theirs' });
    await machine.uploadDirectory(path, contents ? destination : insideFolder(destination, name), options);
  }
}
