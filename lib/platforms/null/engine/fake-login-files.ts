import type { LoginFile, LoginFiles } from './login-files.js';

/**
 * Files in memory, for tests of the handler. What it promises is the contract of `LoginFiles`; what it leaves out is links
 * and folders that may not be entered.
 */
export class FakeLoginFiles implements LoginFiles {
  readonly #files = new Map<string, LoginFile>();

  /** Puts a file of this mode there; a folder if `mode` is not given. */
  put(path: string, mode?: number): void {
    this.#files.set(path, { isFile: mode !== undefined, isPrivate: ((mode ?? 0o755) & 0o077) === 0 });
  }

  async look(path: string): Promise<LoginFile | undefined> {
    return this.#files.get(path);
  }
}
