import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { BakeError } from '../../../core/bake-error.js';
import type { HostKeyPolicy, SshLogin } from '../connection.js';
import { hostKeyAlgorithms } from './algorithms.js';
import { knownHostName, type KnownKey, knownKeys } from './known-hosts.js';

const systemFile = '/etc/ssh/ssh_known_hosts';

/** `SHA256:…` of a key blob, as ssh-keygen prints it. */
export function fingerprintOf(key: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The type that a key blob names in its first field (RFC 4253, 6.6). */
export function keyTypeOf(key: Buffer): string {
  return key.length < 4 ? '' : key.toString('latin1', 4, 4 + key.readUInt32BE(0));
}

/** Decides over the keys of one server. A server may be asked several times, each time for other types of keys. */
export class HostTrust {
  /** @throws BakeError `KnownHostsUnreadable` if the user named a file that cannot be read */
  static async load(login: Pick<SshLogin, 'host' | 'port' | 'hostKey'>): Promise<HostTrust> {
    const policy = login.hostKey ?? { policy: 'knownHosts' };
    const port = login.port ?? 22;
    const known = policy.policy === 'knownHosts' ? knownKeys(await readKnownHosts(policy.file), login.host, port) : [];
    return new HostTrust(login.host, port, policy, known);
  }

  readonly #host: string;
  readonly #port: number;
  readonly #policy: HostKeyPolicy;
  readonly #known: readonly KnownKey[];
  readonly #refused = new Map<string, string>();
  #isExhausted = false;

  private constructor(host: string, port: number, policy: HostKeyPolicy, known: readonly KnownKey[]) {
    this.#host = host;
    this.#port = port;
    this.#policy = policy;
    this.#known = known;
  }

  /** The types of keys to ask the server for: those that are known first, none that was refused before. */
  get keyTypes(): readonly string[] {
    const wanted = this.#expectedKeys().map((key) => keyTypeOf(Buffer.from(key, 'base64')));
    const all = Object.keys(hostKeyAlgorithms);
    return [...new Set([...all.filter((type) => wanted.includes(type)), ...all])].filter((type) => !this.#refused.has(type));
  }

  /** Whether the server may have another key that fits: a fingerprint does not tell of which type its key is. */
  get canAskAgain(): boolean {
    return this.#policy.policy === 'fingerprint' && !this.#isExhausted && this.keyTypes.length > 0;
  }

  /** Undefined if the key is trusted; else why it is not. */
  judge(key: Buffer): BakeError | undefined {
    const text = key.toString('base64');
    const revoked = this.#known.some((known) => known.revoked && known.key === text);
    if (revoked) return this.#mismatch(key, 'is revoked in known_hosts');
    switch (this.#policy.policy) {
      case 'insecureAcceptAny': return undefined;
      case 'fingerprint': return this.#policy.fingerprints.some((print) => print.replace(/=+$/, '') === fingerprintOf(key)) ? undefined : this.#mismatch(key);
      case 'publicKey':
      case 'knownHosts': {
        const expected = this.#expectedKeys();
        if (expected.includes(text)) return undefined;
        return expected.length === 0 ? this.#unknown(key) : this.#mismatch(key);
      }
    }
  }

  /** The server has no more keys to show: the refusal of those that it has shown, if it has. */
  exhaust(): BakeError | undefined {
    this.#isExhausted = true;
    const shown = [...this.#refused.values()];
    return shown.length === 0 ? undefined : this.#mismatchOf(shown);
  }

  #expectedKeys(): readonly string[] {
    if (this.#policy.policy === 'publicKey') return this.#policy.keys.map((line) => line.trim().split(/\s+/)[1] ?? '');
    return this.#known.filter((known) => !known.revoked).map((known) => known.key);
  }

  #mismatch(key: Buffer, why?: string): BakeError {
    this.#refused.set(keyTypeOf(key), `${fingerprintOf(key)} (${keyTypeOf(key)})`);
    return this.#mismatchOf([...this.#refused.values()], why);
  }

  #mismatchOf(shown: readonly string[], why = 'is not the one that was expected'): BakeError {
    const expected = this.#policy.policy === 'fingerprint' ? this.#policy.fingerprints : this.#expectedKeys().map((key) => {
      const blob = Buffer.from(key, 'base64');
      return `${fingerprintOf(blob)} (${keyTypeOf(blob)})`;
    });
    return new BakeError({
      code: 'HostKeyMismatch', source: 'platform',
      message: `the host key of ${knownHostName(this.#host, this.#port)} ${why}: it shows ${shown.join(', ')}, expected was ${expected.join(' or ') || 'another one'}`,
      hint: 'somebody may stand in between. If the machine was made anew, compare the fingerprint on its console, then correct hostKey or the line in known_hosts',
    });
  }

  #unknown(key: Buffer): BakeError {
    const file = this.#policy.policy === 'knownHosts' ? this.#policy.file ?? '~/.ssh/known_hosts' : 'known_hosts';
    return new BakeError({
      code: 'HostKeyUnknown',
      message: `the host key of ${knownHostName(this.#host, this.#port)} is not known: it shows ${fingerprintOf(key)} (${keyTypeOf(key)})`,
      hint: `compare the fingerprint on the machine's console, then give hostKey: HostKey.fingerprint("${fingerprintOf(key)}") or add this line to ${file}: ${knownHostName(this.#host, this.#port)} ${keyTypeOf(key)} ${key.toString('base64')}`,
    });
  }
}

async function readKnownHosts(file: string | undefined): Promise<string> {
  if (file === undefined) {
    const texts = await Promise.all([join(homedir(), '.ssh', 'known_hosts'), systemFile].map((path) => readFile(path, 'utf8').catch(() => '')));
    return texts.join('\n');
  }
  return readFile(file, 'utf8').catch((error: Error) => {
    throw new BakeError({ code: 'KnownHostsUnreadable', message: `the known_hosts file ${file} cannot be read: ${error.message}`, hint: 'create it, or correct the path in HostKey.knownHosts(…)', cause: error });
  });
}
