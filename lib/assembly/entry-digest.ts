import { sha256 } from '../core/json.js';

/** The digest and size of an asset. */
export interface Measured {
  readonly digest: string;
  /** Bytes of all its files. */
  readonly size: number;
}

/** All of a file, folder or link that counts: `content` is the SHA-256 of a file, that of the list of what is in a folder, and the target of a link. */
export function description(type: 'file' | 'directory' | 'link', mode: number, content = ''): string {
  return `${type} ${(mode & 0o777).toString(8)} ${content}`;
}

/** The digest of what was described. */
export function entryDigest(type: 'file' | 'directory', mode: number, content: string): string {
  return sha256(description(type, mode, content));
}
