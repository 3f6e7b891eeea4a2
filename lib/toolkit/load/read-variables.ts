import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { BakeError } from '../../core/bake-error.js';

const prefix = 'BAKE_VAR_';

export interface GivenVariables {
  readonly values: Readonly<Record<string, string>>;
  /** Those that the user named for this app, on the command line or in a file. The environment may hold other apps' too. */
  readonly given: readonly GivenVariable[];
}

export interface GivenVariable {
  readonly name: string;
  /** The variable file that names it, as it was called; absent for one of the command line. */
  readonly file?: string;
}

/**
 * All variables from outside, the strongest last: the environment, then the files in order, then those of the command line.
 * @throws BakeError `FileNotFound`, `FileNotReadable`, `VariableFileInvalid`
 */
export async function readVariables(env: NodeJS.ProcessEnv, files: readonly string[], given: Readonly<Record<string, string>>, cwd: string): Promise<GivenVariables> {
  const variables: Record<string, string> = {};
  const named: GivenVariable[] = Object.keys(given).map((name) => ({ name }));
  for (const [name, value] of Object.entries(env)) if (name.startsWith(prefix) && value !== undefined) variables[name.slice(prefix.length)] = value;
  for (const file of files) {
    const held = await readVariableFile(resolve(cwd, file));
    Object.assign(variables, held);
    named.push(...Object.keys(held).map((name) => ({ name, file })));
  }
  return { values: { ...variables, ...given }, given: named };
}

async function readVariableFile(path: string): Promise<Record<string, string>> {
  const invalid = (why: string, cause?: unknown) => new BakeError({ code: 'VariableFileInvalid', message: `${path}: ${why}`, hint: 'write a JSON object such as { "region": "eu", "replicas": 3 }', cause });
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => { throw unreadable(path, error); });
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw invalid((error as Error).message, error);
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw invalid('it holds no object');
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]));
}

function unreadable(path: string, error: NodeJS.ErrnoException): BakeError {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return new BakeError({ code: 'FileNotFound', message: `the variable file ${path} does not exist`, hint: 'correct the path after --var-file: a relative one starts at the folder that bake is called in', cause: error });
  return new BakeError({ code: 'FileNotReadable', message: `the variable file ${path} cannot be read: ${error.message}`, hint: 'give --var-file a file that you may read', cause: error });
}
