import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The package's own files, as built (`dist/`) or as written (`lib/`). */
const here = fileURLToPath(import.meta.url).replaceAll('\\', '/');
const isBuilt = here.includes('/dist/');
const root = isBuilt ? `${here.slice(0, here.lastIndexOf('/dist/'))}/dist` : here.slice(0, here.lastIndexOf('/lib/'));
const extension = isBuilt ? 'js' : 'ts';

/**
 * The module that an import of `bake-sdk` in the user's file means: always this very copy, so that its constructs and
 * the synthesizer's are the same classes. Undefined for anything else.
 */
export function ownModule(specifier: string): string | undefined {
  if (specifier === 'constructs') return import.meta.resolve('constructs');
  if (specifier === 'bake-sdk') return pathToFileURL(`${root}/lib/index.${extension}`).href;
  const platform = /^bake-sdk\/([a-z0-9-]+)$/.exec(specifier)?.[1];
  const file = `${root}/lib/platforms/${platform}/index.${extension}`;
  return platform !== undefined && existsSync(file) ? pathToFileURL(file).href : undefined;
}

/** The path of a file of ours. */
export function ownFile(path: string): string {
  return `${root}/${path}.${extension}`;
}
