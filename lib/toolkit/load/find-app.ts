import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { BakeError } from '../../core/bake-error.js';

/** Where the user's program is, and how it is run. */
export type AppLocation =
  | { readonly type: 'file'; readonly path: string; readonly project: string }
  /** `bake.json` names a command of its own, such as `ts-node image.ts`. */
  | { readonly type: 'command'; readonly command: string; readonly project: string };

const entryNames = ['image.ts', 'image.mts', 'image.js', 'image.mjs'];

/**
 * Finds the app: a file as it is, or what a folder's `bake.json` or `image.ts` say.
 * @throws BakeError `AppNotFound`, `ConfigInvalid`
 */
export async function findApp(given: string, cwd: string): Promise<AppLocation> {
  const path = resolve(cwd, given);
  const info = await stat(path).catch(() => undefined);
  if (info?.isFile() && basename(path) !== 'bake.json') return { type: 'file', path, project: dirname(path) };
  const project = info?.isFile() ? dirname(path) : path;
  const configured = await readConfig(join(project, 'bake.json'));
  if (configured !== undefined) {
    const file = resolve(project, configured);
    return (await isFile(file)) ? { type: 'file', path: file, project } : { type: 'command', command: configured, project };
  }
  for (const name of entryNames) if (await isFile(join(project, name))) return { type: 'file', path: join(project, name), project };
  throw new BakeError({ code: 'AppNotFound', message: `there is no image.ts in ${project}`, hint: 'run "bake init" to make one, or name yours with --app' });
}

/** The files that `findApp` looks at, whether they are there or not. */
export function appFiles(given: string, cwd: string): readonly string[] {
  const path = resolve(cwd, given);
  return /\.[cm]?[jt]s$/.test(path) ? [path] : path.endsWith('bake.json') ? [path] : ['bake.json', ...entryNames].map((name) => join(path, name));
}

async function readConfig(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const invalid = (why: string) => new BakeError({ code: 'ConfigInvalid', message: `${path}: ${why}`, hint: 'write { "app": "image.ts" }, or a command such as { "app": "ts-node image.ts" }' });
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (error) {
    throw invalid((error as Error).message);
  }
  const app = (config as { app?: unknown } | null)?.app;
  if (app === undefined) return undefined;
  if (typeof app !== 'string' || app.trim() === '') throw invalid('"app" must be a text');
  return app;
}

function isFile(path: string): Promise<boolean> {
  return stat(path).then((info) => info.isFile(), () => false);
}
