import { readFile } from 'node:fs/promises';
import ssh2 from 'ssh2';
import { BakeError } from '../../../core/bake-error.js';

/** An OpenSSH user certificate: PROTOCOL.certkeys of OpenSSH. */
export interface Certificate {
  /** `ssh-ed25519-cert-v01@openssh.com`. */
  readonly type: string;
  /** All of it, as it goes over the wire. */
  readonly blob: Buffer;
  /** The public key that is certified, as it goes over the wire. */
  readonly publicKey: Buffer;
  /** What it is for people: the file's path. */
  readonly name: string;
}

/** Fields of the public key in each kind of certificate. */
const keyFields: Readonly<Record<string, number>> = { 'ssh-ed25519': 1, 'ecdsa-sha2-nistp256': 2, 'ecdsa-sha2-nistp384': 2, 'ecdsa-sha2-nistp521': 2, 'ssh-rsa': 2 };
const suffix = '-cert-v01@openssh.com';
const kindOfUser = 1;

/**
 * Reads a certificate and sees whether it can be of use.
 * @param now milliseconds since the epoch
 * @throws BakeError `CertificateUnreadable`, `CertificateInvalid`
 */
export async function loadCertificate(file: string, now: number): Promise<Certificate> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new BakeError({ code: 'CertificateUnreadable', message: `the certificate ${file} cannot be read: ${error.message}`, hint: 'correct the path in certificateFile', cause: error });
  });
  const [type = '', data = ''] = text.trim().split(/\s+/);
  const blob = Buffer.from(data, 'base64');
  const keyType = type.slice(0, -suffix.length);
  const fields = keyFields[keyType];
  if (!type.endsWith(suffix) || fields === undefined) throw invalid(file, 'it is not an OpenSSH certificate of an ed25519, ecdsa or rsa key');
  try {
    const reader = new Reader(blob);
    if (reader.text() !== type) throw invalid(file, 'its two parts name different kinds of keys');
    reader.bytes(); // nonce
    const publicKey = Buffer.concat([keyType, ...Array.from({ length: fields }, () => reader.bytes())].map((field) => withLength(Buffer.from(field))));
    reader.skip(8); // serial number
    const kind = reader.number();
    reader.bytes(); // key id
    reader.bytes(); // principals
    reader.skip(8); // valid from, for which the machine's clock counts
    const validUntil = reader.seconds();
    if (kind !== kindOfUser) throw invalid(file, 'it is the certificate of a host, not of a user');
    if (validUntil * 1_000 <= now) throw invalid(file, `it was valid until ${new Date(validUntil * 1_000).toISOString()}`);
    return { type, blob, publicKey, name: file };
  } catch (error) {
    throw BakeError.is(error) ? error : invalid(file, 'it is cut short');
  }
}

/** A key that shows its certificate; `offerCertificates` makes a client know the difference. */
export interface CertifiedKey extends ssh2.ParsedKey {
  readonly certificate: Certificate;
  /** Signs with the private key, wherever that is. `hash` only for RSA. */
  signData(data: Buffer, hash: string | undefined): Promise<Buffer>;
}

export function isCertified(key: ssh2.ParsedKey): key is CertifiedKey {
  return 'certificate' in key;
}

/**
 * The private key together with its certificate.
 * @throws BakeError `CertificateInvalid` if the certificate is for another key
 */
export function certify(key: ssh2.ParsedKey, certificate: Certificate, keyName: string): CertifiedKey {
  if (!key.getPublicSSH().equals(certificate.publicKey)) throw invalid(certificate.name, `it is not for the key of ${keyName}`);
  return certified(key, certificate, async (data, hash) => {
    const signature: Buffer | Error = key.sign(data, hash);
    if (signature instanceof Error) throw signature;
    return signature;
  });
}

/** The certificate together with its private key in the agent. */
export function certifyFromAgent(agent: ssh2.BaseAgent, certificate: Certificate): CertifiedKey {
  const key = ssh2.utils.parseKey(`${certificate.type.slice(0, -suffix.length)} ${certificate.publicKey.toString('base64')}`);
  if (key instanceof Error) throw invalid(certificate.name, key.message);
  return certified(key, certificate, (data, hash) => new Promise((resolve, reject) => {
    agent.sign(key, data, hash === undefined ? {} : { hash: hash as 'sha512' }, (error, signature) => {
      if (error || signature === undefined) reject(error ?? new Error('the agent did not sign'));
      else resolve(signature);
    });
  }));
}

/** The library takes only keys that it has parsed itself, so this is that with another face. */
function certified(key: ssh2.ParsedKey, certificate: Certificate, signData: CertifiedKey['signData']): CertifiedKey {
  return Object.create(key, { certificate: { value: certificate }, signData: { value: signData }, isPrivateKey: { value: () => true } }) as CertifiedKey;
}

/** A field with its length before it. */
export function withLength(field: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(field.length);
  return Buffer.concat([length, field]);
}

function invalid(file: string, reason: string): BakeError {
  return new BakeError({ code: 'CertificateInvalid', message: `the certificate ${file} cannot be used: ${reason}`, hint: '"ssh-keygen -Lf" shows what is in it; "ssh-keygen -s" makes one: the file …-cert.pub' });
}

class Reader {
  readonly #blob: Buffer;
  #at = 0;

  constructor(blob: Buffer) {
    this.#blob = blob;
  }
  number(): number {
    this.#at += 4;
    return this.#blob.readUInt32BE(this.#at - 4);
  }
  /** A 64-bit time; what is beyond a JavaScript date counts as for ever. */
  seconds(): number {
    this.#at += 8;
    const value = this.#blob.readBigUInt64BE(this.#at - 8);
    return value > 8_640_000_000_000n ? Number.POSITIVE_INFINITY : Number(value);
  }
  bytes(): Buffer {
    const length = this.number();
    this.skip(length);
    return this.#blob.subarray(this.#at - length, this.#at);
  }
  text(): string {
    return this.bytes().toString('latin1');
  }
  skip(length: number): void {
    this.#at += length;
    if (this.#at > this.#blob.length) throw new RangeError('the end');
  }
}
