export { HostKey } from './host-key.js';
export type { KeyPairProps } from './key-pair.js';
export type { SshBastionProps, SshForwardProps, SshLoginProps, SshMachineOptions, SshOptions, SshProps, SshProxyProps } from './ssh-props.js';
