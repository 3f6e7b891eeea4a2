import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of this very copy of the package, built or not. */
export function ownPackageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && folder !== dirname(folder)) folder = dirname(folder);
  return folder;
}

export function ownVersion(): string {
  return (JSON.parse(readFileSync(join(ownPackageFolder(), 'package.json'), 'utf8')) as { readonly version: string }).version;
}
