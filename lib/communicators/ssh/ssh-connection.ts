import { BakeError } from '../../core/bake-error.js';
import { Secret } from '../../core/secret.js';
import type { SpecInput } from '../../image/compile.js';
import type { SshConnection } from './connection.js';
import { HostKey } from './host-key.js';
import type { SshLoginProps, SshMachineOptions, SshProps } from './ssh-props.js';

/**
 * The connection of these props as a spec: data, with `Secret`, `Ref` and `Duration` still in it. Put it into a spec field
 * that the step kind declares `opaque`, so that secrets stay references in the handle.
 * What only its platform uses, such as `temporaryKeyPair`, is left out.
 * @throws BakeError `PlainSecret`, `InvalidProp`, `ConflictingProps`
 */
export function sshConnection({ temporaryKeyPair, clearAuthorizedKeys, ...props }: SshProps & SshMachineOptions): SpecInput<SshConnection> & { readonly kind: 'ssh' } {
  const ways = (['bastion', 'proxy'] as const).filter((name) => props[name] !== undefined);
  if (ways.length > 1) {
    throw new BakeError({ code: 'ConflictingProps', message: `"${ways.join('" and "')}" are two ways to one machine`, hint: 'leave one of them out' });
  }
  if (props.agentForwarding === true && (props.agent === undefined || props.agent === false)) {
    throw new BakeError({ code: 'InvalidProp', message: '"agentForwarding" is on, but there is no agent to forward', hint: 'add agent: true' });
  }
  assertNoPlainSecret(props.proxy?.password, 'proxy.password');
  // Names that are unknown stay in, for the schema to find.
  return { ...props, ...login(props, ''), kind: 'ssh', bastion: props.bastion === undefined ? undefined : { ...props.bastion, ...login(props.bastion, 'bastion.') } } as SpecInput<SshConnection> & { readonly kind: 'ssh' };
}

function login(props: SshLoginProps, prefix: string): Record<string, unknown> {
  for (const name of ['password', 'privateKey', 'passphrase'] as const) {
    assertNoPlainSecret(props[name], `${prefix}${name}`);
  }
  const agent = props.agent !== undefined && props.agent !== false;
  if (props.agentIdentities !== undefined && !agent) {
    throw new BakeError({ code: 'InvalidProp', message: `"${prefix}agentIdentities" chooses among the keys of an agent, but there is no agent`, hint: 'add agent: true' });
  }
  if (props.certificateFile !== undefined && !agent && props.privateKeyFile === undefined && props.privateKey === undefined) {
    throw new BakeError({ code: 'InvalidProp', message: `"${prefix}certificateFile" is of no use without its private key`, hint: 'add privateKeyFile, privateKey or agent' });
  }
  if (props.hostKey !== undefined && !(props.hostKey instanceof HostKey)) {
    throw new BakeError({ code: 'InvalidProp', message: `"${prefix}hostKey" is not a HostKey`, hint: 'write HostKey.fingerprint("SHA256:…"), HostKey.publicKey("ssh-ed25519 AAAA…") or HostKey.knownHosts()' });
  }
  return {
    // The engine reads the environment; a communicator never does.
    agent: props.agent === true ? Secret.env('SSH_AUTH_SOCK') : props.agent === false ? undefined : props.agent,
    hostKey: props.hostKey?.spec,
  };
}

function assertNoPlainSecret(value: unknown, name: string): void {
  if (typeof value !== 'string') return;
  throw new BakeError({ code: 'PlainSecret', message: `"${name}" is a plain text, which would be written into the plan`, hint: 'give Secret.env("NAME"), Secret.file("path") or, for tests, Secret.insecureLiteral("…")' });
}
