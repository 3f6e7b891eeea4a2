import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { PackOptions } from 'tar-fs';
import type { TransferOptions } from '../../core/communicator.js';
import { counting } from './counting.js';

/** Ids for everything in a tar; undefined leaves those that the files have here. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The permission bits with set-uid, set-gid and sticky. */
const permissions = 0o7777;

/** A tar stream of one file under another name. Reading a local file follows a symbolic link. */
export async function tarOfFile(source: string | Uint8Array, name: string, options: TransferOptions & { readonly mode?: number; readonly owner: Owner | undefined }): Promise<Readable> {
  const { pack } = await import('tar-stream');
  const facts = typeof source === 'string' ? await stat(source) : undefined;
  if (facts !== undefined && !facts.isFile()) throw new Error(`${String(source)} is not a file`);
  const size = facts?.size ?? source.length;
  const tar = pack();
  const { uid, gid } = options.owner ?? { uid: facts?.uid ?? 0, gid: facts?.gid ?? 0 };
  const entry = tar.entry({ name, size, type: 'file', mode: options.mode ?? ((facts?.mode ?? 0o644) & permissions), uid, gid, mtime: facts?.mtime ?? new Date() }, (error) => {
    if (error) tar.destroy(error);
    else tar.finalize();
  });
  if (typeof source === 'string') {
    // A file that grows while it is read must not break the archive.
    const content = size === 0 ? Readable.from([]) : createReadStream(source, { end: size - 1, highWaterMark: 1024 * 1024 });
    let sent = 0;
    pipeline(content, counting((bytes) => options.onProgress?.(sent += bytes, size)), entry).catch((error: Error) => tar.destroy(error));
  } else {
    entry.end(source);
    options.onProgress?.(size, size);
  }
  return plain(tar);
}

/** A tar stream of what is in a folder, each name with `prefix` before it. With a prefix the folder itself is in it too. */
export async function tarOfFolder(source: string, prefix: string, options: TransferOptions & { readonly owner: Owner | undefined }): Promise<Readable> {
  if (!(await stat(source)).isDirectory()) throw new Error(`${source} is not a folder`);
  const { pack } = await import('tar-fs');
  let sent = 0;
  const settings: PackOptions & { umask: number } = {
    umask: 0,
    strict: false,
    // Without a prefix the folder itself is left out: it is there already and keeps its mode.
    ...(prefix === '' ? { entries: await readdir(source) } : {}),
    map: (header) => ({ ...header, mode: (header.mode ?? 0) & permissions, name: header.name === '.' ? prefix : `${prefix}${prefix === '' ? '' : '/'}${header.name}`, ...options.owner }),
    mapStream: (stream) => stream.on('data', (chunk) => options.onProgress?.(sent += chunk.length)),
  };
  return plain(pack(source, settings));
}

/** The tar library's streams are not Node's own: errors and destruction have to be carried over in both directions. */
function plain(tar: AsyncIterable<unknown>): Readable {
  const out = new PassThrough({ highWaterMark: 1024 * 1024 });
  out.on('error', () => {}); // whoever reads it hears of it through the pipeline
  pipeline(tar, out).catch(() => {});
  return out;
}
