import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

/**
 * The folder for what later runs may use again: `BAKE_CACHE_DIR`, else where the system keeps caches of a user
 * (`$XDG_CACHE_HOME/bake` or `~/.cache/bake`, `~/Library/Caches/bake`, `%LOCALAPPDATA%\bake\cache`).
 */
export function cacheFolder(env: NodeJS.ProcessEnv, os: NodeJS.Platform = process.platform, home: string = homedir()): string {
  // The XDG specification: a variable that is set to nothing, or to a relative path, counts as not set.
  const value = (name: string) => (env[name] === '' ? undefined : env[name]);
  const own = value('BAKE_CACHE_DIR');
  if (own !== undefined) return resolve(own);
  if (os === 'darwin') return join(home, 'Library', 'Caches', 'bake');
  if (os === 'win32') return join(value('LOCALAPPDATA') ?? join(home, 'AppData', 'Local'), 'bake', 'cache');
  const xdg = value('XDG_CACHE_HOME');
  return join(xdg !== undefined && isAbsolute(xdg) ? xdg : join(home, '.cache'), 'bake');
}
