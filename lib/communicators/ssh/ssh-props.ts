import type { Duration } from '../../core/duration.js';
import type { Secret } from '../../core/secret.js';
import type { Input, TextInput } from '../../image/ref.js';
import type { HostKey } from './host-key.js';
import type { KeyPairProps } from './key-pair.js';

/**
 * Who logs in, with what, and which machine is believed. What is given is offered in this order: private key, agent,
 * password; a method that the machine does not take is skipped.
 */
export interface SshLoginProps {
  /** The user on the machine. */
  readonly user: TextInput;
  /**
   * The user's password, also given to prompts of a keyboard-interactive login that do not echo.
   * @default - no password
   */
  readonly password?: Secret;
  /**
   * Path of a private key on this machine (ed25519, ecdsa or rsa; OpenSSH, PEM or PuTTY format), readable by its owner
   * only. Relative paths start at the folder of `image.ts`; `~/` is the home folder.
   * @default - no key
   */
  readonly privateKeyFile?: TextInput;
  /** The private key itself, in the same formats. @default - no key */
  readonly privateKey?: Secret;
  /** Opens the private key. @default - the key is not encrypted */
  readonly passphrase?: Secret;
  /**
   * Path of an OpenSSH user certificate for the private key (`id_ed25519-cert.pub`, as `ssh-keygen -s` makes it), or for a
   * key of the agent. It is offered before the bare key.
   * @default - no certificate
   */
  readonly certificateFile?: TextInput;
  /** Lets the ssh agent log in: true for the one that `SSH_AUTH_SOCK` names, or the path of its socket. @default false */
  readonly agent?: boolean | TextInput;
  /**
   * Only these keys of the agent are offered, in the agent's order: public keys (`ssh-ed25519 AAAA…`) or fingerprints
   * (`SHA256:…`). For agents with more keys than a server lets one try (OpenSSH's MaxAuthTries, 6). As OpenSSH's
   * IdentitiesOnly.
   * @default - all
   */
  readonly agentIdentities?: readonly TextInput[];
  /** Which key the machine must show. @default HostKey.knownHosts() */
  readonly hostKey?: HostKey;
}

/** A machine that is dialled first because the one that is meant can only be reached from there. */
export interface SshBastionProps extends SshLoginProps {
  /** Name or address. */
  readonly host: TextInput;
  /** @default 22 */
  readonly port?: Input<number>;
}

/** A proxy that is asked to open the way to the machine; it also looks its name up. */
export interface SshProxyProps {
  /** SOCKS version 5 (RFC 1928), or HTTP's CONNECT (RFC 9110, 9.3.6). */
  readonly type: 'socks5' | 'http';
  /** Name or address. */
  readonly host: TextInput;
  /** @default - 1080 for socks5, 3128 for http */
  readonly port?: Input<number>;
  /** @default - none: the proxy asks nobody who he is */
  readonly user?: TextInput;
  /** The proxy's password for `user`. @default - none */
  readonly password?: Secret;
}

/** One forwarded port, named as in `ssh -L [bind_address:]port:host:hostport`. */
export interface SshForwardProps {
  /** The address that listens. @default '127.0.0.1' */
  readonly bindAddress?: TextInput;
  /** The port that listens. */
  readonly port: Input<number>;
  /** Where its connections end, as seen from the other side. */
  readonly host: TextInput;
  readonly hostPort: Input<number>;
}

/** The ssh settings of a platform that knows by itself where its machine is. */
export interface SshOptions extends SshLoginProps {
  /** @default 22 */
  readonly port?: Input<number>;
  /** The way leads through this machine. @default - the machine is dialled directly */
  readonly bastion?: SshBastionProps;
  /** The way leads through this proxy; not together with `bastion`. @default - the machine is dialled directly */
  readonly proxy?: SshProxyProps;
  /** Ports of this computer that lead to what the machine can reach; they listen until the end of the run. @default - none */
  readonly localForwards?: readonly SshForwardProps[];
  /** Ports of the machine that lead to what this computer can reach; asked for anew with each connection. @default - none */
  readonly remoteForwards?: readonly SshForwardProps[];
  /**
   * Once the machine has let us in for the first time: leave, wait so long, and connect afresh. For a machine that is up,
   * reboots by itself and is then ready.
   * @default - no pause
   */
  readonly pauseBeforeConnecting?: Duration;
  /** The machine may use the agent for logins of its own; needs `agent`. @default false */
  readonly agentForwarding?: boolean;
  /**
   * The whole time to get in, from the first attempt until the login; also after the machine was rebooted.
   * @default Duration.minutes(5)
   */
  readonly timeout?: Duration;
  /** From the banner until the login of one attempt. @default Duration.seconds(30) */
  readonly handshakeTimeout?: Duration;
  /**
   * How often the machine may refuse the login before it is final. More than 1 is for images whose ssh server is up
   * before the user's key is installed.
   * @default 1
   */
  readonly handshakeAttempts?: number;
  /** Time between two signs of life. `Duration.seconds(0)` asks for none. @default Duration.seconds(3) */
  readonly keepaliveInterval?: Duration;
  /** After so many intervals without any byte from the machine the connection counts as lost. @default 4 */
  readonly keepaliveCountMax?: number;
  /**
   * The connection counts as lost when the machine sends nothing for so long, also while a command is silent. Answers to
   * keepalives count: it is for servers that do not answer them.
   * @default - no limit beside the keepalives'
   */
  readonly readWriteTimeout?: Duration;
  /**
   * Ciphers to offer, the best one first, by their OpenSSH names.
   * @default - AES-GCM, ChaCha20-Poly1305 and AES-CTR, the fastest one first
   */
  readonly ciphers?: readonly string[];
  /** Key exchanges to offer, by their OpenSSH names. @default - Curve25519, ECDH, and Diffie-Hellman with SHA-2 */
  readonly keyExchangeAlgorithms?: readonly string[];
  /** Message authentication codes to offer, by their OpenSSH names; AES-GCM and ChaCha20 need none. @default - HMAC with SHA-2 */
  readonly macs?: readonly string[];
  /** Kinds of signatures that the machine's host key may make, the best one first, by their OpenSSH names. @default - Ed25519, ECDSA, and RSA with SHA-2; those of known keys first */
  readonly serverHostKeyAlgorithms?: readonly string[];
  /** Compresses what is sent both ways: for slow lines only. @default false */
  readonly compression?: boolean;
  /** Runs each command in a terminal, for a `sudo` that insists on one: its two output streams become one. @default false */
  readonly pty?: boolean;
  /**
   * How folders are transferred, and with `sftp` single files too. `tar` streams a folder through one channel, and falls
   * back on sftp if the machine has no tar; `sftp` is for a machine without a usable shell. The old scp protocol is not spoken:
   * what it needs on the machine is more than `cat` and `tar`, and OpenSSH's own scp has used SFTP since 9.0.
   * @default 'tar'
   */
  readonly fileTransfer?: 'tar' | 'sftp';
}

/** A machine that is reached over ssh. Its user's login shell must be a POSIX one (sh, bash, dash, ash, zsh, ksh). */
export interface SshProps extends SshOptions {
  /** Name or address. */
  readonly host: TextInput;
}

/** The ssh settings of a platform that makes its machine and puts a key into it. */
export interface SshMachineOptions extends SshOptions {
  /**
   * The key pair that is made for the run and installed in the machine, unless a key, a password or an agent is given.
   * @default { type: 'ed25519' }
   */
  readonly temporaryKeyPair?: KeyPairProps;
  /** Takes the key that was installed for the run out of the machine's authorized_keys again, before the machine is shut down. @default true */
  readonly clearAuthorizedKeys?: boolean;
}

const loginNames = {
  user: true, password: true, privateKeyFile: true, privateKey: true, passphrase: true, certificateFile: true, agent: true, agentIdentities: true, hostKey: true,
} as const;

/** The names of `SshBastionProps`, for checking props that no type checker has seen. */
export const sshBastionPropNames: Readonly<Record<keyof Required<SshBastionProps>, true>> = { host: true, port: true, ...loginNames };

/** The names of `SshOptions`, likewise. */
export const sshOptionNames: Readonly<Record<keyof Required<SshOptions>, true>> = {
  ...loginNames, port: true, bastion: true, proxy: true, localForwards: true, remoteForwards: true, pauseBeforeConnecting: true,
  agentForwarding: true, timeout: true, handshakeTimeout: true, handshakeAttempts: true, keepaliveInterval: true, keepaliveCountMax: true, readWriteTimeout: true,
  ciphers: true, keyExchangeAlgorithms: true, macs: true, serverHostKeyAlgorithms: true, compression: true, pty: true, fileTransfer: true,
};

/** The names of `SshMachineOptions`, likewise. */
export const sshMachineOptionNames: Readonly<Record<keyof Required<SshMachineOptions>, true>> = { ...sshOptionNames, temporaryKeyPair: true, clearAuthorizedKeys: true };

/** The names of `SshProps`, likewise. */
export const sshPropNames: Readonly<Record<keyof Required<SshProps>, true>> = { host: true, ...sshOptionNames };
