import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { BakeError } from '../core/bake-error.js';
import type { SecretJson } from '../plan/late.js';
import type { Masker } from './masker.js';

export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Values of the app's sensitive variables. */
  readonly variables: Readonly<Record<string, string>>;
  /** Values of the literal secrets, by index; empty when the plan comes from a file. */
  readonly literals: readonly string[];
  /** The folder that relative paths of secret files start at. */
  readonly project: string;
}

/** Looks secrets up when a step needs them, and has each one masked from then on. */
export class SecretStore {
  readonly #sources: SecretSources;
  readonly #masker: Masker;

  constructor(sources: SecretSources, masker: Masker) {
    this.#sources = sources;
    this.#masker = masker;
  }

  /** @throws BakeError `SecretNotFound`, `SecretUnavailable` */
  resolve({ $secret: secret }: SecretJson): string {
    const value = this.#lookUp(secret);
    this.#masker.add(value);
    return value;
  }

  #lookUp(secret: SecretJson['$secret']): string {
    switch (secret.from) {
      case 'env': return this.#sources.env[secret.name] ?? notFound(`the environment variable ${secret.name} is not set`, `set it before "bake run", such as ${secret.name}=… bake run`);
      case 'variable': return own(this.#sources.variables, secret.name) ?? notFound(`the sensitive variable "${secret.name}" has no value`, `set BAKE_VAR_${secret.name}, or give it in a --var-file`);
      case 'literal': return this.#sources.literals[secret.index] ?? notFound('a literal secret is known only to the process that ran image.ts', 'run the app itself instead of a stored plan, or use Secret.env or Secret.file', 'SecretUnavailable');
      case 'file': return readSecretFile(resolve(this.#sources.project, secret.path));
    }
  }
}

function own(record: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function readSecretFile(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    return notFound(`the secret file ${path} cannot be read: ${(error as Error).message}`, 'create it, or correct the path; relative paths start at the folder of image.ts');
  }
}

function notFound(message: string, hint: string, code = 'SecretNotFound'): never {
  throw new BakeError({ code, message, hint });
}
