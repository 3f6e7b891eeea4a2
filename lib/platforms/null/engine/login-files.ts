/** What can be told of a file without opening it. */
export interface LoginFile {
  /** A regular file, links followed. */
  readonly isFile: boolean;
  /** Nobody but its owner can read or write it; always true where the system has no such permissions. */
  readonly isPrivate: boolean;
}

/**
 * The port of this platform: all that its handler needs from the outside world, and no more. `hostLoginFiles` is the real
 * one, `FakeLoginFiles` the one for tests, and `test/platforms/null/login-files-contract.ts` holds both to what is
 * written here.
 */
export interface LoginFiles {
  /** Undefined if there is nothing at this absolute path, or a folder on the way to it may not be entered. */
  look(path: string): Promise<LoginFile | undefined>;
}
