import type { BuildPlanner, PlannedStep } from '../../image/compile.js';
import type { Ref } from '../../image/ref.js';
import { sshKeyPair } from './steps.js';

/** Which kind of key is made. */
export type KeyPairProps =
  | { readonly type?: 'ed25519' }
  | {
    readonly type: 'ecdsa';
    /** @default 256 */
    readonly bits?: 256 | 384 | 521;
  }
  | {
    readonly type: 'rsa';
    /** From 2048 to 16384. @default 3072 */
    readonly bits?: number;
  };

/** A key pair that is in the plan. */
export interface PlannedKeyPair {
  readonly step: PlannedStep;
  /** Path of the private half, in OpenSSH's format, for `privateKeyFile`; the file is gone when the run ends. */
  readonly privateKeyFile: Ref<string>;
  /** `ssh-ed25519 AAAA… <token>`, for authorized_keys and for `HostKey.publicKey`. */
  readonly publicKey: Ref<string>;
  /** `SHA256:…`, as `ssh-keygen -lf` prints it. */
  readonly fingerprint: Ref<string>;
}

/**
 * Adds a step that makes a key pair for this run: one to log in with, or one for the machine to show as its host key.
 * @param name the step's name: `KeyPair`, `HostKeyPair`
 * @param props default: ed25519
 */
export function planKeyPair(build: Pick<BuildPlanner, 'step'>, name: string, props: KeyPairProps = {}): PlannedKeyPair {
  const { type = 'ed25519' } = props;
  const step = build.step(name, { kind: sshKeyPair, title: `temporary ${type} key pair`, spec: { ...props, type } });
  return { step, privateKeyFile: step.ref('privateKeyFile'), publicKey: step.ref('publicKey'), fingerprint: step.ref('fingerprint') };
}
