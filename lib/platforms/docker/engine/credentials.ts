import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { BakeError } from '../../../core/bake-error.js';
import { isJsonObject, type JsonObject } from '../../../core/json.js';
import type { StepContext } from '../../../engine/handler.js';
import { tryParseReference } from '../reference.js';
import type { RegistryAuth } from './docker-engine.js';

/** The key under which the `docker` command keeps the login of the default registry. */
const defaultRegistryKey = 'https://index.docker.io/v1/';
/** Hosts that all stand for the default registry. */
const defaultHosts = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];
/** What a credential helper gives as the user when the secret is a token. */
const tokenUser = '<token>';

interface GivenAuth {
  readonly server?: string;
  readonly username: string;
  readonly password: string;
}

/** Where logins are kept. */
export interface DockerConfigPlace {
  /** Folder of `config.json`. */
  readonly folder: string;
}

/** As the `docker` command: `DOCKER_CONFIG`, else `~/.docker`. */
export function dockerConfigPlace(): DockerConfigPlace {
  return { folder: process.env['DOCKER_CONFIG'] ?? join(homedir(), '.docker') };
}

/**
 * The login for an image's registry: the one given if it is for that registry, else that of `docker login`, credential
 * helpers included; undefined if there is none.
 * @throws BakeError `DockerConfigInvalid`
 */
export async function authFor(reference: string, given: GivenAuth | undefined, ctx: StepContext, place = dockerConfigPlace()): Promise<RegistryAuth | undefined> {
  const registry = tryParseReference(reference)?.registry;
  if (given !== undefined && (given.server === undefined || keyOf(given.server) === keyOf(registry))) {
    return { serveraddress: given.server ?? registry ?? defaultRegistryKey, username: given.username, password: given.password };
  }
  return authOfRegistry(registry, ctx, place);
}

/** The same for several images, by registry; for builds, which pull by themselves. */
export async function authsFor(references: readonly string[], given: GivenAuth | undefined, ctx: StepContext, place = dockerConfigPlace()): Promise<Readonly<Record<string, RegistryAuth>>> {
  const auths: Record<string, RegistryAuth> = {};
  for (const reference of references) {
    const registry = tryParseReference(reference)?.registry;
    const auth = await authOfRegistry(registry, ctx, place);
    if (auth !== undefined) auths[keyOf(registry)] = auth;
  }
  const [first] = references;
  if (given !== undefined) {
    const server = given.server ?? (first === undefined ? undefined : tryParseReference(first)?.registry) ?? defaultRegistryKey;
    auths[server] = { serveraddress: server, username: given.username, password: given.password };
  }
  return auths;
}

async function authOfRegistry(registry: string | undefined, ctx: StepContext, { folder }: DockerConfigPlace): Promise<RegistryAuth | undefined> {
  const key = keyOf(registry);
  const config = await readConfig(join(folder, 'config.json'));
  const helpers = config['credHelpers'];
  const helper = (isJsonObject(helpers) ? helpers[key] : undefined) ?? config['credsStore'];
  const auth = typeof helper === 'string' && helper !== '' ? await askHelper(helper, key, ctx) : undefined;
  const found = auth ?? authOfFile(config['auths'], key);
  for (const secret of [found?.password, found?.identitytoken, found?.registrytoken]) if (secret) ctx.maskSecret(secret);
  return found;
}

async function readConfig(path: string): Promise<JsonObject> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw new BakeError({ code: 'DockerConfigInvalid', message: `cannot read ${path}: ${error.message}`, hint: 'let the user that runs bake read it', cause: error });
  });
  try {
    const config: unknown = JSON.parse(text);
    if (isJsonObject(config)) return config;
  } catch { /* said below */ }
  throw new BakeError({ code: 'DockerConfigInvalid', message: `${path} is no JSON object`, hint: 'correct it, or remove it and run "docker login" again' });
}

/** https://github.com/docker/docker-credential-helpers: the key on standard input, JSON on standard output. */
async function askHelper(helper: string, key: string, ctx: StepContext): Promise<RegistryAuth | undefined> {
  if (!/^[\w.-]+$/.test(helper)) throw new BakeError({ code: 'DockerConfigInvalid', message: `"${helper}" is no name of a credential helper`, hint: 'correct credsStore or credHelpers in the config.json of docker' });
  const command = `docker-credential-${helper}`;
  const answer = await ctx.exec.run({ command, args: ['get'], stdin: `${key}\n`, signal: ctx.signal }).catch((error: unknown) => {
    if (BakeError.is(error) && error.code === 'CommandNotFound') return undefined;
    throw error;
  });
  if (answer === undefined) {
    ctx.warn({ code: 'DockerCredentialHelper', message: `the credential helper ${command} is not on this machine`, hint: 'going on without a login; install it, or take it out of the config.json of docker' });
    return undefined;
  }
  const { code, stdout } = answer;
  if (code !== 0) {
    if (!/not found/i.test(stdout)) ctx.warn({ code: 'DockerCredentialHelper', message: `the credential helper ${helper} failed: ${stdout.trim()}`, hint: 'going on without a login' });
    return undefined;
  }
  try {
    const { Username: username, Secret: secret } = JSON.parse(stdout) as { Username: string; Secret: string };
    return username === tokenUser ? { serveraddress: key, identitytoken: secret } : { serveraddress: key, username, password: secret };
  } catch {
    ctx.warn({ code: 'DockerCredentialHelper', message: `the credential helper ${helper} gave no JSON`, hint: 'going on without a login' });
    return undefined;
  }
}

function authOfFile(auths: unknown, key: string): RegistryAuth | undefined {
  if (!isJsonObject(auths)) return undefined;
  const entry = auths[key] ?? Object.entries(auths).find(([name]) => keyOf(name) === key)?.[1];
  if (!isJsonObject(entry)) return undefined;
  const text = (name: string) => (typeof entry[name] === 'string' && entry[name] !== '' ? entry[name] : undefined);
  const [user, ...rest] = Buffer.from(text('auth') ?? '', 'base64').toString().split(':');
  const username = text('username') ?? (user === '' ? undefined : user);
  const password = text('password') ?? (rest.length === 0 ? undefined : rest.join(':').replace(/\0+$/, ''));
  const identitytoken = text('identitytoken');
  const registrytoken = text('registrytoken');
  if (username === undefined && identitytoken === undefined && registrytoken === undefined) return undefined;
  return { serveraddress: key, ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }), ...(identitytoken === undefined ? {} : { identitytoken }), ...(registrytoken === undefined ? {} : { registrytoken }) };
}

/** A registry as `docker login` keeps it. Old entries are URLs; the host decides. */
function keyOf(registry: string | undefined): string {
  const host = registry?.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return host === undefined || defaultHosts.includes(host) ? defaultRegistryKey : host;
}
