import type { Construct } from 'constructs';
import type { SshProps } from '../../communicators/ssh/index.js';
import { sshConnection } from '../../communicators/ssh/ssh-connection.js';
import { sshBastionPropNames, sshPropNames } from '../../communicators/ssh/ssh-props.js';
import { Annotations } from '../../image/annotations.js';
import { checkProps } from '../../image/check-props.js';
import type { BuildPlanner, Machine } from '../../image/compile.js';
import { Source } from '../../image/source.js';
import { nullArtifact, nullMachine, nullNowhere } from './steps.js';

export interface NullSourceProps {
  /** The machine to provision; it must exist. @default - no machine: only what runs on this computer, such as `ShellLocal` */
  readonly ssh?: SshProps;
  /** Provisions this computer itself. Whatever a provisioner does is done here, as the user that runs `bake`. @default false */
  readonly local?: boolean;
}

/**
 * Runs provisioners and exports nothing: on an existing machine over ssh, on this computer, or, with neither, only those
 * that need no machine. A provisioner that needs one is then an error, `NoCommunicator`.
 * @example
 * new NullSource(this, 'Staging', { ssh: { host: 'staging.example.org', user: 'root', privateKeyFile: '~/.ssh/id_ed25519' } });
 */
export class NullSource extends Source {
  readonly platform = 'null';
  readonly #props: NullSourceProps;

  constructor(scope: Construct, id: string, props: NullSourceProps = {}) {
    super(scope, id);
    this.#props = props;
    checkProps<NullSourceProps>(this, props, { ssh: true, local: true });
    if (props.ssh !== undefined) checkProps(this, props.ssh, sshPropNames);
    if (props.ssh?.bastion !== undefined) checkProps(this, props.ssh.bastion, sshBastionPropNames);
    if (props.ssh !== undefined && props.local === true) {
      Annotations.of(this).addError('"ssh" and "local" are two machines, and a source has one', { code: 'ConflictingProps', hint: 'leave one of them out, or write a second source' });
    }
  }

  compile(build: BuildPlanner): void {
    build.provision(this.#machine(build));
    build.artifact(build.step('Artifact', { kind: nullArtifact, title: 'nothing is exported', spec: {} }));
  }

  #machine(build: BuildPlanner): Machine {
    const { ssh, local } = this.#props;
    if (ssh !== undefined) return sshMachine(build, ssh);
    if (local !== true) return { step: build.step('Machine', { kind: nullNowhere, title: 'no machine', spec: {} }) };
    const step = build.step('Machine', { kind: nullMachine, title: 'this computer', spec: { connection: { kind: 'local' } } });
    return { step, connection: step.ref('connection'), variables: { host: 'localhost' } };
  }
}

function sshMachine(build: BuildPlanner, ssh: SshProps): Machine {
  const { host, port = 22, user, password, privateKeyFile } = ssh;
  const title = typeof host === 'string' ? `ssh connection to ${host}` : 'ssh connection';
  const step = build.step('Machine', { kind: nullMachine, title, spec: { connection: sshConnection(ssh) } });
  const sshPrivateKeyFile = privateKeyFile === undefined ? undefined : step.ref<string>('sshPrivateKeyFile');
  return { step, connection: step.ref('connection'), variables: { host, port, user, password, sshPrivateKeyFile } };
}
