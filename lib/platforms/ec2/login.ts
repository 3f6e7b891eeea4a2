import { HostKey } from '../../communicators/ssh/host-key.js';
import { planKeyPair } from '../../communicators/ssh/key-pair.js';
import { sshConnection } from '../../communicators/ssh/ssh-connection.js';
import type { BuildPlanner } from '../../image/compile.js';
import type { Ref } from '../../image/ref.js';
import type { Ec2MachineProps, Ec2SshProps } from './ec2-props.js';

/** How somebody gets into the machine. */
export interface Login {
  /** For the spec of the machine. */
  readonly connection: object;
  /** The run's own public key, if that is what lets in. */
  readonly publicKey?: Ref<string> | undefined;
  /** What `build.user` and the like mean. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** What cloud-init in the machine is given; undefined if it has none. */
  readonly cloudInit?: Readonly<Record<string, unknown>>;
  /** For the spec of the step that takes it out again. */
  readonly tidy?: Readonly<Record<string, unknown>> | undefined;
}

const ownLogins = ['password', 'privateKey', 'privateKeyFile', 'agent'] as const;

/** Whether the user has a way in already. */
export function hasOwnLogin(ssh: Ec2SshProps): boolean {
  return ownLogins.some((name) => ssh[name] !== undefined && ssh[name] !== false);
}

/** Plans the keys of the run, and how they get into the machine: with its user data. */
export function addLogin(build: Pick<BuildPlanner, 'step'>, { ssh, userData }: Ec2MachineProps): Login {
  const { user, temporaryKeyPair, clearAuthorizedKeys = true, host, ...options } = ssh;
  const at = { host: host ?? '0.0.0.0', user }; // the machine's step fills in where it is
  const keyPair = hasOwnLogin(ssh) ? undefined : planKeyPair(build, 'KeyPair', temporaryKeyPair);
  const hostKeyPair = userData === false || ssh.hostKey !== undefined ? undefined : planKeyPair(build, 'HostKeyPair');
  const privateKeyFile = keyPair?.privateKeyFile ?? ssh.privateKeyFile;
  const hostKey = ssh.hostKey ?? (hostKeyPair === undefined ? undefined : HostKey.publicKey(hostKeyPair.publicKey));
  return {
    connection: sshConnection({ ...options, ...at, ...(privateKeyFile === undefined ? {} : { privateKeyFile }), ...(hostKey === undefined ? {} : { hostKey }) }),
    variables: { user, password: ssh.password, sshPublicKey: keyPair?.publicKey, sshPrivateKeyFile: privateKeyFile },
    publicKey: keyPair?.publicKey,
    ...(userData === false ? { tidy: keyPair === undefined || !clearAuthorizedKeys ? undefined : { authorizedKey: keyPair.publicKey } } : {
      cloudInit: {
        userData, user, authorizedKey: keyPair?.publicKey,
        hostKey: hostKeyPair === undefined ? undefined : { privateKeyFile: hostKeyPair.privateKeyFile, publicKey: hostKeyPair.publicKey },
      },
      tidy: { authorizedKey: clearAuthorizedKeys ? keyPair?.publicKey : undefined, hostPublicKey: hostKeyPair?.publicKey, cloudInit: true, forgetMachine: true },
    }),
  };
}
