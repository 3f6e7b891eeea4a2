import * as z from 'zod';
import { late } from '../../plan/late.js';

const text = late(z.string().min(1));
const port = late(z.int().min(1).max(65_535));
const milliseconds = z.number().min(0);

/** Which host key is trusted, as data; see `HostKey`. */
export const hostKeyPolicy = z.discriminatedUnion('policy', [
  z.strictObject({ policy: z.literal('fingerprint'), fingerprints: z.array(text).min(1) }),
  z.strictObject({ policy: z.literal('publicKey'), keys: z.array(text).min(1) }),
  z.strictObject({ policy: z.literal('knownHosts'), file: z.string().optional() }),
  z.strictObject({ policy: z.literal('insecureAcceptAny') }),
]);

const loginFields = {
  host: text,
  port: port.optional(),
  user: text,
  password: late(z.string()).optional(),
  privateKeyFile: text.optional(),
  privateKey: late(z.string()).optional(),
  passphrase: late(z.string()).optional(),
  certificateFile: text.optional(),
  /** Path of the agent's socket. */
  agent: text.optional(),
  /** Public keys or fingerprints. */
  agentIdentities: z.array(text).min(1).optional(),
  hostKey: hostKeyPolicy.optional(),
};

/** The machine in front of the one that is meant. */
export const sshBastion = z.strictObject(loginFields);

/** Asked to open the way to the machine. */
export const sshProxy = z.strictObject({
  type: z.enum(['socks5', 'http']),
  host: text,
  port: port.optional(),
  user: text.optional(),
  password: late(z.string()).optional(),
});

/** A port on one side that leads to a host and port on the other side. */
export const sshForward = z.strictObject({ bindAddress: text.optional(), port, host: text, hostPort: port });

/**
 * How to reach a machine over ssh, as it stands in specs and handles: kind `ssh`, times in milliseconds, secrets as
 * references until a communicator is opened. `sshConnection()` makes it from props; their docstrings explain the fields.
 */
export const sshConnectionSchema = z.strictObject({
  kind: z.literal('ssh'),
  ...loginFields,
  agentForwarding: z.boolean().optional(),
  bastion: sshBastion.optional(),
  proxy: sshProxy.optional(),
  localForwards: z.array(sshForward).optional(),
  remoteForwards: z.array(sshForward).optional(),
  pauseBeforeConnecting: milliseconds.optional(),
  timeout: milliseconds.optional(),
  handshakeTimeout: milliseconds.optional(),
  handshakeAttempts: z.int().min(1).optional(),
  keepaliveInterval: milliseconds.optional(),
  keepaliveCountMax: z.int().min(1).optional(),
  readWriteTimeout: milliseconds.optional(),
  ciphers: z.array(z.string()).min(1).optional(),
  keyExchangeAlgorithms: z.array(z.string()).min(1).optional(),
  macs: z.array(z.string()).min(1).optional(),
  serverHostKeyAlgorithms: z.array(z.string()).min(1).optional(),
  compression: z.boolean().optional(),
  pty: z.boolean().optional(),
  fileTransfer: z.enum(['tar', 'sftp']).optional(),
});

/** A connection whose secrets are resolved: what the communicator works with. */
export type SshConnection = z.output<typeof sshConnectionSchema>;
/** What is needed to log in to one host, the machine itself or its bastion. */
export type SshLogin = z.output<typeof sshBastion>;
export type SshProxy = z.output<typeof sshProxy>;
export type SshForward = z.output<typeof sshForward>;
/** The algorithms and other settings of a handshake. */
export type SshAlgorithmChoice = Pick<SshConnection, 'ciphers' | 'keyExchangeAlgorithms' | 'macs' | 'serverHostKeyAlgorithms' | 'compression'>;
export type HostKeyPolicy = z.output<typeof hostKeyPolicy>;
