import ssh2 from 'ssh2';
import { BakeError } from '../../../core/bake-error.js';
import type { SshAlgorithmChoice } from '../connection.js';

/**
 * What is offered unless the user says otherwise: nothing with SHA-1, CBC or DSA in it, and AES-GCM with the short key
 * first, which is the fastest on every processor with AES instructions.
 */
const ciphers = ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'chacha20-poly1305@openssh.com', 'aes128-ctr', 'aes192-ctr', 'aes256-ctr'];
const keyExchanges = [
  'curve25519-sha256', 'curve25519-sha256@libssh.org', 'ecdh-sha2-nistp256', 'ecdh-sha2-nistp384', 'ecdh-sha2-nistp521',
  'diffie-hellman-group-exchange-sha256', 'diffie-hellman-group14-sha256', 'diffie-hellman-group16-sha512', 'diffie-hellman-group18-sha512',
];
const macs = ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'];

/** Host key algorithms by the type of key that they sign with, in the order of preference. */
export const hostKeyAlgorithms: Readonly<Record<string, readonly string[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

const keyTypeOf = (algorithm: string) => Object.keys(hostKeyAlgorithms).find((type) => hostKeyAlgorithms[type]?.includes(algorithm)) ?? algorithm;

/** The algorithms of one connection; `hostKeyTypes` are the key types to ask for, the best one first. */
export function algorithmsOf(choice: SshAlgorithmChoice, hostKeyTypes: readonly string[]): ssh2.Algorithms {
  return {
    cipher: choice.ciphers ?? ciphers,
    kex: choice.keyExchangeAlgorithms ?? keyExchanges,
    hmac: choice.macs ?? macs,
    serverHostKey: choice.serverHostKeyAlgorithms?.filter((name) => hostKeyTypes.includes(keyTypeOf(name))) ?? hostKeyTypes.flatMap((type) => hostKeyAlgorithms[type] ?? []),
    compress: choice.compression === true ? ['zlib@openssh.com', 'zlib', 'none'] : ['none'],
  } as ssh2.Algorithms; // names that the library does not know are its error, which names them
}

/** The error of a handshake in which the two sides have no algorithm in common, or of a name that does not exist. */
export function algorithmError(reason: string): BakeError {
  return new BakeError({
    code: 'SshAlgorithms', source: 'platform',
    message: `the ssh handshake is impossible: ${reason}`,
    hint: 'the server may be too old for the safe defaults: name what it has in ciphers, keyExchangeAlgorithms, macs or serverHostKeyAlgorithms, or update it ("ssh -vv" shows what it offers)',
  });
}
