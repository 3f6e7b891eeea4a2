import { BakeError } from '../../../../core/bake-error.js';
import { isJsonObject, type Json, type JsonObject } from '../../../../core/json.js';
import type { StepContext } from '../../../../engine/handler.js';
import { hasUserDataHead, isMime, userDataHeadHint } from '../../cloud-init/user-data-head.js';
import type { LoginConfig } from './login-config.js';
import { mimeArchive } from './mime-archive.js';
import type { CloudInitData } from './read-document.js';
import { cloudConfigOf } from './yaml-of.js';

/** Lists get longer; where both parts say something, the user's counts. */
const mergeHow: Json = [{ name: 'list', settings: ['append'] }, { name: 'dict', settings: ['no_replace', 'recurse_list'] }];

/** @throws BakeError `InvalidUserData` for what cloud-init would silently pass over */
export function checkUserData(given: CloudInitData | undefined): void {
  if (!(given instanceof Uint8Array) || isGzip(given) || hasUserDataHead(Buffer.from(given).toString())) return;
  throw new BakeError({ code: 'InvalidUserData', message: `user-data ${userDataHeadHint}`, hint: 'write #cloud-config as its first line, or give an object' });
}

/**
 * The user's own user-data with what bake needs, so that both take effect.
 * @throws BakeError `InvalidUserData`
 */
export function combineUserData(given: CloudInitData | undefined, login: LoginConfig, warn: StepContext['warn']): string | Uint8Array {
  checkUserData(given);
  const { user, config } = login;
  if (!(given instanceof Uint8Array)) return cloudConfigOf(merged(withUser(given ?? {}, user), config));
  const text = isGzip(given) ? '' : Buffer.from(given).toString();
  const own: JsonObject = user === undefined ? config : { ...config, users: [...(hasUsers(text) ? [] : ['default']), user] };
  if (Object.keys(own).length === 0) return given;
  if (user !== undefined && namesUser(text, user.name) && !user.ssh_authorized_keys.every((key) => text.includes(key))) {
    warn({
      code: 'UserTwice', message: `the user-data seems to make the user ${user.name} itself, and cloud-init then ignores the key that bake logs in with`,
      hint: 'give userData as an object, or another ssh user',
    });
  }
  return mimeArchive([isGzip(given) ? { type: 'application/gzip', data: given } : isMime(text) ? { mime: text } : { type: 'text/plain', data: given }, { type: 'text/cloud-config', data: cloudConfigOf({ merge_how: mergeHow, ...own }) }]);
}

/** Adds the user, or his keys if he is there already: of two entries of one name cloud-init takes the first value of each member. */
function withUser(document: JsonObject, user: LoginConfig['user']): JsonObject {
  if (user === undefined) return document;
  const given = document['users'];
  if (given === undefined) return { ...document, users: ['default', user] };
  if (!Array.isArray(given)) throw new BakeError({ code: 'InvalidUserData', message: '"users" of the user-data must be a list', hint: "write users: ['default', { name: … }]" });
  const list = given as readonly Json[];
  const index = list.findIndex((entry) => isJsonObject(entry) && entry['name'] === user.name);
  const entry = list[index];
  if (!isJsonObject(entry)) return { ...document, users: [...list, user] };
  const keys = entry['ssh_authorized_keys'] ?? [];
  const all = [...(Array.isArray(keys) ? keys as readonly Json[] : [keys]), ...user.ssh_authorized_keys];
  return { ...document, users: list.with(index, { ...entry, ssh_authorized_keys: all }) };
}

function merged(given: JsonObject, own: JsonObject): JsonObject {
  const members = Object.entries(own).map(([name, value]): readonly [string, Json] => {
    const there = given[name];
    if (there === undefined) return [name, value];
    if (Array.isArray(there) && Array.isArray(value)) return [name, [...there as readonly Json[], ...value as readonly Json[]]];
    return [name, isJsonObject(there) && isJsonObject(value) ? merged(there, value) : there];
  });
  return { ...given, ...Object.fromEntries(members) };
}

function hasUsers(text: string): boolean {
  return /^["']?users["']?\s*:/m.test(text);
}

function namesUser(text: string, name: string): boolean {
  return text.split('\n').some((line) => /^\s*(?:-\s*)?name\s*:\s*(.*?)\s*$/.exec(line)?.[1]?.replace(/^(["'])(.*)\1$/, '$2') === name);
}

function isGzip(data: Uint8Array): boolean {
  return data[0] === 0x1f && data[1] === 0x8b;
}
