import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { BakeError } from '../../core/bake-error.js';

const prefix = 'BAKE_VAR_';

/**
 * All variables from outside, the strongest last: the environment, then the files in order, then those of the command line.
 * @throws BakeError `VariableFileInvalid`
 */
export async function readVariables(env: NodeJS.ProcessEnv, files: readonly string[], given: Readonly<Record<string, string>>, cwd: string): Promise<Readonly<Record<string, string>>> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (name.startsWith(prefix) && value !== undefined) variables[name.slice(prefix.length)] = value;
  for (const file of files) Object.assign(variables, await readVariableFile(resolve(cwd, file)));
  return { ...variables, ...given };
}

async function readVariableFile(path: string): Promise<Record<string, string>> {
  const invalid = (why: string, cause?: unknown) => new BakeError({ code: 'VariableFileInvalid', message: `${path}: ${why}`, hint: 'write a JSON object such as { "region": "eu", "replicas": 3 }', cause });
  const text = await readFile(path, 'utf8').catch((error: Error) => { throw invalid(error.message, error); });
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw invalid((error as Error).message, error);
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw invalid('it holds no object');
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]));
}
