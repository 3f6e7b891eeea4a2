import type { Duration } from '../../core/duration.js';
import type { Secret } from '../../core/secret.js';
import type { Input, TextInput } from '../../image/ref.js';
import type { HostKey } from './host-key.js';

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
  /** Lets the ssh agent log in: true for the one that `SSH_AUTH_SOCK` names, or the path of its socket. @default false */
  readonly agent?: boolean | TextInput;
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

/** The ssh settings of a platform that knows by itself where its machine is. */
export interface SshOptions extends SshLoginProps {
  /** @default 22 */
  readonly port?: Input<number>;
  /** The way leads through this machine. @default - the machine is dialled directly */
  readonly bastion?: SshBastionProps;
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
   * Ciphers to offer, the best one first, by their OpenSSH names.
   * @default - AES-GCM, ChaCha20-Poly1305 and AES-CTR, the fastest one first
   */
  readonly ciphers?: readonly string[];
  /** Key exchanges to offer, by their OpenSSH names. @default - Curve25519, ECDH, and Diffie-Hellman with SHA-2 */
  readonly keyExchangeAlgorithms?: readonly string[];
  /** Runs each command in a terminal, for a `sudo` that insists on one: its two output streams become one. @default false */
  readonly pty?: boolean;
  /**
   * How folders are transferred, and with `sftp` single files too. `tar` streams a folder through one channel, and falls
   * back on sftp if the machine has no tar; `sftp` is for a machine without a usable shell.
   * @default 'tar'
   */
  readonly fileTransfer?: 'tar' | 'sftp';
}

/** A machine that is reached over ssh. Its user's login shell must be a POSIX one (sh, bash, dash, ash, zsh, ksh). */
export interface SshProps extends SshOptions {
  /** Name or address. */
  readonly host: TextInput;
}

const loginNames = { user: true, password: true, privateKeyFile: true, privateKey: true, passphrase: true, agent: true, hostKey: true } as const;

/** The names of `SshBastionProps`, for checking props that no type checker has seen. */
export const sshBastionPropNames: Readonly<Record<keyof Required<SshBastionProps>, true>> = { host: true, port: true, ...loginNames };

/** The names of `SshOptions`, likewise. */
export const sshOptionNames: Readonly<Record<keyof Required<SshOptions>, true>> = {
  ...loginNames, port: true, bastion: true, agentForwarding: true, timeout: true, handshakeTimeout: true, handshakeAttempts: true,
  keepaliveInterval: true, keepaliveCountMax: true, ciphers: true, keyExchangeAlgorithms: true, pty: true, fileTransfer: true,
};

/** The names of `SshProps`, likewise. */
export const sshPropNames: Readonly<Record<keyof Required<SshProps>, true>> = { host: true, ...sshOptionNames };
