import { BakeError } from '../../core/bake-error.js';
import { Secret } from '../../core/secret.js';
import type { SpecInput } from '../../image/compile.js';
import type { SshConnection } from './connection.js';
import { HostKey } from './host-key.js';
import type { SshLoginProps, SshProps } from './ssh-props.js';

/**
 * The connection of these props as a spec: data, with `Secret`, `Ref` and `Duration` still in it. Put it into a spec field
 * that the step kind declares `opaque`, so that secrets stay references in the handle.
 * @throws BakeError `PlainSecret`, `InvalidProp`
 */
export function sshConnection(props: SshProps): SpecInput<SshConnection> & { readonly kind: 'ssh' } {
  if (props.agentForwarding === true && (props.agent === undefined || props.agent === false)) {
    throw new BakeError({ code: 'InvalidProp', message: '"agentForwarding" is on, but there is no agent to forward', hint: 'add agent: true' });
  }
  // Names that are unknown stay in, for the schema to find.
  return { ...props, ...login(props, ''), kind: 'ssh', bastion: props.bastion === undefined ? undefined : { ...props.bastion, ...login(props.bastion, 'bastion.') } } as SpecInput<SshConnection> & { readonly kind: 'ssh' };
}

function login(props: SshLoginProps, prefix: string): Record<string, unknown> {
  for (const name of ['password', 'privateKey', 'passphrase'] as const) {
    if (typeof props[name] !== 'string') continue;
    throw new BakeError({ code: 'PlainSecret', message: `"${prefix}${name}" is a plain text, which would be written into the plan`, hint: 'give Secret.env("NAME"), Secret.file("path") or, for tests, Secret.insecureLiteral("…")' });
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
