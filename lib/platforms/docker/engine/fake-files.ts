import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** One entry of a fake file system. */
export interface FakeFile {
  readonly type: 'file' | 'directory' | 'symlink';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly content: Buffer;
  readonly linkTarget?: string;
}

/** Absolute path → entry. */
export type FakeFiles = Map<string, FakeFile>;

const directory: FakeFile = { type: 'directory', mode: 0o755, uid: 0, gid: 0, content: Buffer.alloc(0) };

/** Unpacks a tar stream into a folder; missing parents are made. */
export async function unpackInto(files: FakeFiles, folder: string, tar: Readable): Promise<void> {
  const { extract } = await import('tar-stream');
  const entries = extract();
  tar.on('error', (error: Error) => entries.destroy(error));
  tar.pipe(entries);
  for await (const entry of entries) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    const { name, mode = 0o644, uid = 0, gid = 0, type, linkname } = entry.header;
    const path = posix.resolve(folder, posix.normalize(`/${name}`).slice(1));
    for (let parent = posix.dirname(path); parent !== '/'; parent = posix.dirname(parent)) if (!files.has(parent)) files.set(parent, directory);
    if (path === '/') continue;
    files.set(path, { type: type === 'directory' || type === 'symlink' ? type : 'file', mode, uid, gid, content: Buffer.concat(chunks), ...(typeof linkname === 'string' ? { linkTarget: linkname } : {}) });
  }
}

/** A tar stream of a path and what is below; names start at `base`, or are relative to the path for one that ends in `/.`. */
export async function packFrom(files: FakeFiles, path: string): Promise<Readable> {
  const { pack } = await import('tar-stream');
  const inside = path.endsWith('/.');
  const root = posix.resolve('/', path);
  const prefix = root === '/' ? '/' : `${root}/`;
  const base = inside ? '.' : posix.basename(root);
  const tar = pack();
  for (const [name, { type, mode, uid, gid, content, linkTarget }] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (name !== root && !name.startsWith(prefix)) continue;
    const relative = name === root ? base : posix.join(base, name.slice(prefix.length));
    tar.entry({ name: inside && relative !== '.' ? `./${relative}` : relative, type, mode, uid, gid, ...(linkTarget === undefined ? {} : { linkname: linkTarget }) }, content);
  }
  tar.finalize();
  const out = new PassThrough();
  pipeline(tar as AsyncIterable<unknown>, out).catch(() => {});
  return out;
}
