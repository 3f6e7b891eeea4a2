import type { Test } from 'tap';
import type { LoginFiles } from '../../../lib/platforms/null/engine/login-files.js';

export interface LoginFilesSubject {
  readonly files: LoginFiles;
  /** Puts a file of this mode there, a folder without one; returns its absolute path. */
  readonly put: (name: string, mode?: number) => Promise<string>;
  readonly missing: string;
}

/** What every `LoginFiles` promises, the real one and the fake. */
export async function loginFilesContract(t: Test, { files, put, missing }: LoginFilesSubject): Promise<void> {
  t.equal(await files.look(missing), undefined, 'what is not there is undefined');
  t.strictSame(await files.look(await put('private', 0o600)), { isFile: true, isPrivate: true });
  t.strictSame(await files.look(await put('read-only', 0o400)), { isFile: true, isPrivate: true });
  t.strictSame(await files.look(await put('open', 0o644)), { isFile: true, isPrivate: false });
  t.strictSame(await files.look(await put('group', 0o620)), { isFile: true, isPrivate: false });
  t.match(await files.look(await put('folder')), { isFile: false });
}
