import { sha256 } from '../../../core/json.js';

/** Stands for a URL where it must not be shown. Credentials do not count: they change, and the file does not. */
export function sourceId(url: URL): string {
  const plain = new URL(url);
  [plain.username, plain.password, plain.hash] = ['', '', ''];
  return sha256(plain.href);
}
