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
  /** Path of the agent's socket. */
  agent: text.optional(),
  hostKey: hostKeyPolicy.optional(),
};

/** The machine in front of the one that is meant. */
export const sshBastion = z.strictObject(loginFields);

/**
 * How to reach a machine over ssh, as it stands in specs and handles: kind `ssh`, times in milliseconds, secrets as
 * references until a communicator is opened. `sshConnection()` makes it from props; their docstrings explain the fields.
 */
export const sshConnectionSchema = z.strictObject({
  kind: z.literal('ssh'),
  ...loginFields,
  agentForwarding: z.boolean().optional(),
  bastion: sshBastion.optional(),
  timeout: milliseconds.optional(),
  handshakeTimeout: milliseconds.optional(),
  handshakeAttempts: z.int().min(1).optional(),
  keepaliveInterval: milliseconds.optional(),
  keepaliveCountMax: z.int().min(1).optional(),
  ciphers: z.array(z.string()).min(1).optional(),
  keyExchangeAlgorithms: z.array(z.string()).min(1).optional(),
  pty: z.boolean().optional(),
  fileTransfer: z.enum(['tar', 'sftp']).optional(),
});

/** A connection whose secrets are resolved: what the communicator works with. */
export type SshConnection = z.output<typeof sshConnectionSchema>;
/** What is needed to log in to one host, the machine itself or its bastion. */
export type SshLogin = z.output<typeof sshBastion>;
export type HostKeyPolicy = z.output<typeof hostKeyPolicy>;
