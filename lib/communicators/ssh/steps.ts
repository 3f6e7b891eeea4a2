import * as z from 'zod';
import { defineStepKind } from '../../plan/step-kind.js';

/** A key pair for one run: the private half in a file of this computer that only its owner can read, never in the plan or the journal. */
export const sshKeyPair = defineStepKind({
  kind: 'ssh.keyPair',
  type: 'resource',
  noun: 'key pair',
  version: 1,
  spec: z.union([
    z.strictObject({ type: z.literal('ed25519').optional() }),
    z.strictObject({ type: z.literal('ecdsa'), bits: z.union([z.literal(256), z.literal(384), z.literal(521)]).optional() }),
    z.strictObject({ type: z.literal('rsa'), bits: z.int().min(2048).max(16_384).optional() }),
  ]),
  outputs: ['privateKeyFile', 'publicKey', 'fingerprint'],
});

export type SshKeyPairSpec = z.output<(typeof sshKeyPair)['spec']>;
