import { Asset } from '../../image/asset.js';
import type { TextInput } from '../../image/ref.js';
import { expandGlob } from './expand-glob.js';

/** The fields that the specs of all media have. */
export interface Holdings {
  readonly files: readonly { readonly asset: Asset; readonly contents: boolean }[];
  readonly content: Readonly<Record<string, TextInput>>;
}

/** Files and folders of the user's by path or glob; a path that ends in a slash is a folder's contents. To be called from `compile`. */
export function filesOf(paths: readonly string[] = [], type?: 'file' | 'directory'): Holdings['files'] {
  return paths.flatMap(expandGlob).map((path) => ({ asset: Asset.fromPath(path, type), contents: path.endsWith('/') }));
}

/** `3 files`, for titles. */
export function countOf({ files, content }: Holdings): string {
  const count = files.length + Object.keys(content).length;
  return count === 1 ? '1 file' : `${count} files`;
}
