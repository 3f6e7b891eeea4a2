export { HostKey } from './host-key.js';
export type { KeyPairProps } from './key-pair.js';
export type { SshBastionProps, SshLoginProps, SshOptions, SshProps } from './ssh-props.js';
