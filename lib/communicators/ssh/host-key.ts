import { BakeError } from '../../core/bake-error.js';
import type { TextInput } from '../../image/ref.js';

/**
 * Which machine is believed to be the right one. A machine that shows another key is refused before any password, key or
 * command is sent to it.
 */
export class HostKey {
  /**
   * The machine must show a key with one of these fingerprints, as `ssh-keygen -lf` prints them: `SHA256:` and 43
   * characters. All key types of the machine are tried until one fits.
   * @throws BakeError `InvalidHostKey` for a text of another shape
   */
  static fingerprint(...fingerprints: readonly [TextInput, ...TextInput[]]): HostKey {
    for (const fingerprint of fingerprints) {
      if (typeof fingerprint !== 'string' || /^SHA256:[A-Za-z0-9+/]{43}=?$/.test(fingerprint)) continue;
      throw new BakeError({ code: 'InvalidHostKey', message: `"${fingerprint}" is not the fingerprint of a host key`, hint: 'write it as "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" prints it on the machine: SHA256:…' });
    }
    return new HostKey({ policy: 'fingerprint', fingerprints });
  }

  /**
   * The machine must show one of these keys, as they stand in its `/etc/ssh/ssh_host_*_key.pub`: `ssh-ed25519 AAAA…`.
   * @throws BakeError `InvalidHostKey` for a text of another shape
   */
  static publicKey(...keys: readonly [TextInput, ...TextInput[]]): HostKey {
    for (const key of keys) {
      if (typeof key !== 'string' || /^(?:ssh|ecdsa)-[\w-]+ AAAA[A-Za-z0-9+/]+={0,2}(?:\s.*)?$/.test(key.trim())) continue;
      throw new BakeError({ code: 'InvalidHostKey', message: `"${key.slice(0, 60)}" is not a public host key`, hint: 'give the line of /etc/ssh/ssh_host_ed25519_key.pub on the machine: ssh-ed25519 AAAA…' });
    }
    return new HostKey({ policy: 'publicKey', keys });
  }

  /**
   * The machine must show a key that a known_hosts file has for it: plain and hashed names, `[host]:port`, wildcards,
   * several keys per host and `@revoked` are understood, `@cert-authority` is not.
   * @param file relative paths start at the folder of `image.ts`; without it `~/.ssh/known_hosts` and `/etc/ssh/ssh_known_hosts`
   */
  static knownHosts(file?: string): HostKey {
    return new HostKey({ policy: 'knownHosts', ...(file === undefined ? {} : { file }) });
  }

  /** Any machine that answers is believed. Whoever can stand in between reads and changes everything: for throw-away tests only. */
  static insecureAcceptAny(): HostKey {
    return new HostKey({ policy: 'insecureAcceptAny' });
  }

  /** The policy as it goes into a spec; texts in it may still be late. */
  readonly spec: Readonly<Record<string, unknown>>;

  private constructor(spec: Readonly<Record<string, unknown>>) {
    this.spec = spec;
  }
}
