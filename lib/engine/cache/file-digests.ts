import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

/** SHA-256 of files, each computed once in a run. */
export class FileDigests {
  readonly #known = new Map<string, Promise<string | undefined>>();

  /** Lower-case hex; undefined if there is no such file. */
  async of(path: string): Promise<string | undefined> {
    const facts = await stat(path, { bigint: true }).catch(() => undefined);
    if (facts?.isFile() !== true) return undefined;
    const key = [path, facts.ino, facts.size, facts.mtimeNs, facts.ctimeNs].join('\0');
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = digest(path);
    this.#known.set(key, made);
    return made;
  }
}

async function digest(path: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest('hex');
}
