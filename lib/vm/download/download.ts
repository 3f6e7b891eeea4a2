import type { TextInput } from '../../image/ref.js';

const brand = Symbol.for('bake-sdk.Download');

export interface DownloadOptions {
  /**
   * How the file is known to be the right one: `sha256:<hex>` (also md5, sha1, sha384, sha512), the hex digits alone,
   * `file:<URL or path>` of a list of sums as `sha256sum` or BSD's `sha256` write it, where the file is found by its name, or
   * `none`, which takes whatever comes first: `bake.lock.json` pins it.
   */
  readonly checksum: TextInput;
}

/**
 * A file to be downloaded, for props that take one. It is downloaded once, verified once, and shared by all runs of a user;
 * a download that broke off is resumed. A file on this computer is used in place.
 * @example
 * Download.fromUrl('https://example.org/disk.qcow2', { checksum: 'file:https://example.org/SHA256SUMS' })
 */
export class Download {
  /**
   * @param urls http, https and file URLs, or paths (relative to the folder of `image.ts`); tried in this order. A password
   * goes in as a Secret: str`https://me:${Secret.env('PASSWORD')}@host/file`
   */
  static fromUrl(urls: TextInput | readonly TextInput[], options: DownloadOptions): Download {
    return new Download(isList(urls) ? [...urls] : [urls], options?.checksum);
  }
  static isDownload(value: unknown): value is Download {
    return typeof value === 'object' && value !== null && brand in value;
  }

  readonly urls: readonly TextInput[];
  readonly checksum: TextInput;

  private constructor(urls: readonly TextInput[], checksum: TextInput) {
    Object.defineProperty(this, brand, { value: true });
    this.urls = urls;
    this.checksum = checksum;
  }
}

function isList(urls: TextInput | readonly TextInput[]): urls is readonly TextInput[] {
  return Array.isArray(urls);
}
