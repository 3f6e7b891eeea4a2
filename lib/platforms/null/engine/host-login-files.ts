import { stat } from 'node:fs/promises';
import type { LoginFiles } from './login-files.js';

/** The files of this computer. */
export const hostLoginFiles: LoginFiles = {
  async look(path) {
    const facts = await stat(path).catch(() => undefined);
    if (facts === undefined) return undefined;
    return { isFile: facts.isFile(), isPrivate: process.platform === 'win32' || (facts.mode & 0o077) === 0 };
  },
};
