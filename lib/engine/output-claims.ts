import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BakeError } from '../core/bake-error.js';
import { sha256 } from '../core/json.js';

/** What tells one state of a file or folder from another. */
interface Identity {
  readonly ino: number;
  readonly size: number;
  readonly mtimeMs: number;
}

interface Claim {
  readonly path: string;
  readonly token: string;
  /** What stood there when the claim was made. */
  readonly before: Identity | null;
  /** Whether `before` was the work of an earlier claim: it may be replaced even if this claimant never came to do so. */
  readonly beforeIsOurs?: boolean;
  /** What the claimant made; null until it is done. */
  readonly made: Identity | null;
}

/**
 * Remembers which output paths `bake` itself wrote, so that a second run replaces its own work without being asked and
 * never touches what somebody else put there. One small file per path under `.bake/outputs/`.
 */
export class OutputClaims {
  readonly #folder: string;
  readonly #force: boolean;
  /** Who has which path in this run. */
  readonly #holders = new Map<string, string>();

  constructor(options: { readonly folder: string; readonly force: boolean }) {
    this.#folder = options.folder;
    this.#force = options.force;
  }

  /** @throws BakeError `OutputExists` if something stands there that `bake` did not make and `--force` was not given */
  async check(path: string): Promise<void> {
    const now = await identify(path);
    if (now === null || this.#force) return;
    if (isWorkOf(await this.#read(path), now)) return;
    throw new BakeError({
      code: 'OutputExists',
      message: `${path} exists already, and bake did not make it`,
      hint: 'move it away, choose another output, or give --force to replace it',
    });
  }

  /**
   * To be called before the first byte is written; a claim by the same token is renewed.
   * @throws BakeError `OutputConflict` if another step of this run has it; `OutputExists` as `check` does
   */
  async claim(path: string, token: string): Promise<void> {
    const holder = this.#holders.get(path) ?? token;
    if (holder !== token) {
      throw new BakeError({ code: 'OutputConflict', message: `two steps of this run write ${path}`, hint: 'give each its own output, such as one with {image} and {build} in its name' });
    }
    this.#holders.set(path, token);
    await this.check(path);
    const claim = await this.#read(path);
    if (claim?.token === token && claim.made === null) return;
    const before = await identify(path);
    await this.#write({ path, token, before, ...(isWorkOf(claim, before) ? { beforeIsOurs: true } : {}), made: null });
  }

  /** To be called when the final path is complete. */
  async settle(path: string, token: string): Promise<void> {
    const claim = await this.#read(path);
    await this.#write({ path, token, before: claim?.before ?? null, made: await identify(path) });
  }

  /** Whether what stands at the path now is the work of this token. */
  async isOurs(path: string, token: string): Promise<boolean> {
    const [now, claim] = await Promise.all([identify(path), this.#read(path)]);
    if (now === null || claim === undefined || claim.token !== token) return false;
    return claim.made === null ? !same(claim.before, now) : same(claim.made, now);
  }

  async forget(path: string): Promise<void> {
    this.#holders.delete(path);
    await rm(this.#file(path), { force: true });
  }

  #file(path: string): string {
    return join(this.#folder, `${sha256(path)}.json`);
  }

  async #read(path: string): Promise<Claim | undefined> {
    try {
      return JSON.parse(await readFile(this.#file(path), 'utf8')) as Claim;
    } catch {
      return undefined; // none, or a torn write: then nothing is known of the path, which is the safe side
    }
  }

  async #write(claim: Claim): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await writeFile(this.#file(claim.path), JSON.stringify(claim));
  }
}

/** Whether what stands there now was made under this claim or the one before it. */
function isWorkOf(claim: Claim | undefined, now: Identity | null): boolean {
  if (claim === undefined || now === null) return false;
  if (claim.made !== null) return same(claim.made, now);
  return !same(claim.before, now) || claim.beforeIsOurs === true;
}

async function identify(path: string): Promise<Identity | null> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return { ino, size, mtimeMs };
  } catch {
    return null;
  }
}

function same(a: Identity | null, b: Identity | null): boolean {
  return a !== null && b !== null && a.ino === b.ino && a.size === b.size && a.mtimeMs === b.mtimeMs;
}
