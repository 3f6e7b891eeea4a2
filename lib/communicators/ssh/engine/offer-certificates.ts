import type ssh2 from 'ssh2';
import { BakeError } from '../../../core/bake-error.js';
import { type CertifiedKey, isCertified, withLength } from './certificate.js';

/** The inside of the library that is needed here; a real test holds it to this. */
interface Protocol {
  authPK(user: string, key: ssh2.ParsedKey, ...rest: readonly unknown[]): void;
  readonly _kex: { readonly sessionID: Buffer };
  readonly _kexinit: unknown;
  readonly _authsQueue: string[];
  readonly _cipher: { encrypt(packet: Buffer): void };
  readonly _packetRW: { readonly write: { readonly allocStart: number; alloc(length: number): Buffer; finalize(packet: Buffer): Buffer } };
}

/** The algorithm that signs, the one that stands for it together with a certificate, and its hash. */
interface Signing {
  readonly signature: string;
  readonly offered: string;
  readonly hash: string | undefined;
}

/**
 * Teaches a client that has just been told to connect about certificates, which the library lacks: the name of the
 * algorithm that is offered differs from that in the signature (PROTOCOL.certkeys of OpenSSH, and RFC 4252, 7). What is
 * not certified goes the library's way.
 */
export function offerCertificates(client: ssh2.Client, onError: (error: Error) => void): void {
  const protocol = (client as ssh2.Client & { readonly _protocol?: Partial<Protocol> })._protocol;
  if (!isKnown(protocol)) {
    throw new BakeError({ code: 'CertificatesUnsupported', source: 'bake', message: 'this version of the library ssh2 has no place for certificates', hint: 'install the version of ssh2 that bake was made with, or leave certificateFile out' });
  }
  const plain = protocol.authPK.bind(protocol);
  protocol.authPK = (user, key, ...rest) => {
    if (!isCertified(key)) return plain(user, key, ...rest);
    request(protocol, user, key).catch(onError);
  };
}

/** Sends the whole request at once: the question whether the certificate would do is left out. */
async function request(protocol: Protocol, user: string, key: CertifiedKey): Promise<void> {
  const { signature, offered, hash } = signingOf(key);
  const userauthRequest = 50; // RFC 4252, 6
  const message = Buffer.concat([
    Buffer.from([userauthRequest]), ...[user, 'ssh-connection', 'publickey'].map((text) => withLength(Buffer.from(text))),
    Buffer.from([1]), withLength(Buffer.from(offered)), withLength(key.certificate.blob),
  ]);
  const signed = await key.signData(Buffer.concat([withLength(protocol._kex.sessionID), message]), hash);
  const proof = Buffer.concat([withLength(Buffer.from(signature)), withLength(toWire(signed, signature))]);
  const payload = Buffer.concat([message, withLength(proof)]);
  if (protocol._kexinit !== undefined) throw new Error('the keys of the connection are being changed');
  const { write } = protocol._packetRW;
  const packet = write.alloc(payload.length);
  payload.copy(packet, write.allocStart);
  protocol._authsQueue.push('publickey');
  protocol._cipher.encrypt(write.finalize(packet));
}

function signingOf(key: CertifiedKey): Signing {
  if (key.type === 'ssh-rsa') return { signature: 'rsa-sha2-512', offered: 'rsa-sha2-512-cert-v01@openssh.com', hash: 'sha512' };
  return { signature: key.type, offered: key.certificate.type, hash: undefined };
}

/** An ECDSA signature comes as ASN.1 from a key and as two numbers (RFC 5656, 3.1.2) from an agent, and leaves as these. */
function toWire(signature: Buffer, algorithm: string): Buffer {
  const asn1Sequence = 0x30;
  if (!algorithm.startsWith('ecdsa-') || signature[0] !== asn1Sequence) return signature;
  let at = signature[1]! & 0x80 ? 3 : 2; // the sequence's length takes one byte or two
  const number = () => {
    const length = signature[at + 1]!;
    at += 2 + length;
    return withLength(signature.subarray(at - length, at));
  };
  return Buffer.concat([number(), number()]);
}

function isKnown(protocol: Partial<Protocol> | undefined): protocol is Protocol {
  return typeof protocol?.authPK === 'function' && Array.isArray(protocol._authsQueue) && typeof protocol._packetRW?.write.alloc === 'function' && typeof protocol._packetRW.write.finalize === 'function';
}
