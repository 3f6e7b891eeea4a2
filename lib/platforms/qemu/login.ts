import { planKeyPair } from '../../communicators/ssh/key-pair.js';
import { HostKey } from '../../communicators/ssh/host-key.js';
import { sshConnection } from '../../communicators/ssh/ssh-connection.js';
import type { BuildPlanner, CompiledStep } from '../../image/compile.js';
import type { Ref } from '../../image/ref.js';
import { compileCloudInitSeed } from '../../vm/media/cloud-init/seed.js';
import type { QemuSourceProps, QemuSshProps } from './qemu-props.js';

/** How somebody gets into the machine, and what is put in for that. */
export interface Login {
  /** For the spec of the machine; undefined if nobody logs in. */
  readonly connection?: object;
  /** Root can switch the machine off. */
  readonly isRoot: boolean;
  /** What `build.user` and the like mean. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** The CD that cloud-init reads. */
  readonly seed?: CompiledStep;
  /** The keys of the run that the machine must be given. */
  readonly keys?: { readonly authorizedKey?: Ref<string>; readonly hostKeyFile: Ref<string>; readonly hostPublicKey: Ref<string> };
  /** For the spec of the step that takes it out again. */
  readonly tidy?: Readonly<Record<string, unknown>>;
}

const ownLogins = ['password', 'privateKey', 'privateKeyFile', 'agent'] as const;

/** Whether the user has a way in already. */
export function hasOwnLogin(ssh: QemuSshProps | undefined): boolean {
  return ownLogins.some((name) => ssh?.[name] !== undefined && ssh[name] !== false);
}

/** Whether cloud-init in the machine is counted on. */
export function usesCloudInit({ cloudInit, disk, ssh, communicator }: QemuSourceProps): boolean {
  if (typeof cloudInit === 'boolean') return cloudInit;
  return cloudInit !== undefined || (disk !== undefined && communicator !== 'none' && !hasOwnLogin(ssh));
}

/** Whether bake puts keys of its own into the machine before it starts. */
export function putsKeysIn(props: QemuSourceProps): boolean {
  if (props.communicator === 'none') return false;
  return props.rootfs !== undefined || (props.disk !== undefined && usesCloudInit(props));
}

/** Plans the keys of the run, if the machine takes them, and how they get there. */
export function addLogin(build: Pick<BuildPlanner, 'step'>, props: QemuSourceProps): Login {
  const { ssh = {}, communicator = 'ssh', rootfs } = props;
  const { user = 'root', temporaryKeyPair, clearAuthorizedKeys = true, port: _, ...options } = ssh;
  const seed = usesCloudInit(props) ? (typeof props.cloudInit === 'object' ? props.cloudInit : {}) : undefined;
  if (communicator === 'none') return { isRoot: false, variables: {}, ...(seed === undefined ? {} : { seed: compileCloudInitSeed(seed, {}) }) };

  const isRoot = user === 'root';
  const at = { host: '127.0.0.1', port: 22 }; // the machine's step fills in where it is
  const keyPair = hasOwnLogin(ssh) ? undefined : planKeyPair(build, 'KeyPair', temporaryKeyPair);
  if (!putsKeysIn(props)) {
    const privateKeyFile = keyPair?.privateKeyFile ?? ssh.privateKeyFile;
    return {
      isRoot, connection: sshConnection({ ...options, ...at, user, ...(privateKeyFile === undefined ? {} : { privateKeyFile }) }),
      variables: { user, password: ssh.password, sshPublicKey: keyPair?.publicKey, sshPrivateKeyFile: privateKeyFile },
      ...(seed === undefined ? {} : { seed: compileCloudInitSeed(seed, {}) }), ...(keyPair === undefined || !clearAuthorizedKeys ? {} : { tidy: { authorizedKey: keyPair.publicKey } }),
    };
  }
  const hostKeyPair = planKeyPair(build, 'HostKeyPair');
  const hostKey = { privateKeyFile: hostKeyPair.privateKeyFile, publicKey: hostKeyPair.publicKey };
  const privateKeyFile = keyPair?.privateKeyFile ?? ssh.privateKeyFile;
  const connection = sshConnection({ ...options, ...at, user, ...(privateKeyFile === undefined ? {} : { privateKeyFile }), hostKey: ssh.hostKey ?? HostKey.publicKey(hostKeyPair.publicKey) });
  const variables = { user, password: ssh.password, sshPublicKey: keyPair?.publicKey, sshPrivateKeyFile: privateKeyFile };
  const keys = { ...(keyPair === undefined ? {} : { authorizedKey: keyPair.publicKey }), hostKeyFile: hostKeyPair.privateKeyFile, hostPublicKey: hostKeyPair.publicKey };
  const tidy = { authorizedKey: clearAuthorizedKeys ? keyPair?.publicKey : undefined, hostPublicKey: hostKeyPair.publicKey, forgetMachine: true, ...(seed === undefined ? {} : { cloudInit: true }) };
  // A root tree is given its keys on its disk.
  const asked = rootfs === undefined ? { user, ...(keyPair === undefined ? {} : { authorizedKeys: [keyPair.publicKey] }), hostKey } : {};
  return { isRoot, connection, variables, keys, tidy, ...(seed === undefined ? {} : { seed: compileCloudInitSeed(seed, asked) }) };
}
