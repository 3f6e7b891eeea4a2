import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** What a project is called, wherever it lies: the name in its package.json, or else that of its folder. */
export async function projectName(project: string): Promise<string> {
  try {
    const { name } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8')) as { readonly name?: unknown };
    if (typeof name === 'string' && name !== '') return name;
  } catch { /* it has none */ }
  return basename(project);
}
