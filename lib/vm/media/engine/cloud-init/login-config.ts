import type { Json, JsonObject } from '../../../../core/json.js';

export interface LoginFacts {
  readonly user?: string | undefined;
  readonly authorizedKeys?: readonly string[] | undefined;
  readonly password?: string | undefined;
  readonly hostKey?: { readonly privateKey: string; readonly publicKey: string } | undefined;
}

/** What bake asks of cloud-init, so that it gets in and knows the machine by its host key. */
export interface LoginConfig {
  /** An entry of `users`; undefined if nobody is to be let in by a key. */
  readonly user?: JsonObject & { readonly name: string; readonly ssh_authorized_keys: readonly string[] };
  readonly config: JsonObject;
}

/** https://docs.cloud-init.io/en/latest/reference/modules.html: users-groups, ssh, set-passwords. */
export function loginConfig({ user = 'root', authorizedKeys = [], password, hostKey }: LoginFacts): LoginConfig {
  // `lock_passwd` would take an existing user's password away, and `sudo` is what the users of cloud images have.
  const rights: JsonObject = user === 'root' ? {} : { sudo: ['ALL=(ALL) NOPASSWD:ALL'] };
  const config: { [name: string]: Json } = {};
  if (user === 'root' && (authorizedKeys.length > 0 || password !== undefined)) config['disable_root'] = false;
  if (password !== undefined) {
    config['ssh_pwauth'] = true;
    config['chpasswd'] = { expire: false, list: [`${user}:${password}`] };
  }
  if (hostKey !== undefined) config['ssh_keys'] = hostKeysOf(hostKey);
  return { config, ...(authorizedKeys.length === 0 ? {} : { user: { name: user, ...rights, lock_passwd: false, ssh_authorized_keys: [...authorizedKeys] } }) };
}

function hostKeysOf({ privateKey, publicKey }: { readonly privateKey: string; readonly publicKey: string }): JsonObject {
  const [algorithm = ''] = publicKey.split(' ');
  const type = algorithm.startsWith('ecdsa-') ? 'ecdsa' : algorithm.replace(/^ssh-/, '');
  return { [`${type}_private`]: privateKey, [`${type}_public`]: publicKey };
}
