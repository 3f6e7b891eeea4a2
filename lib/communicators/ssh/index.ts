export { HostKey } from './host-key.js';
export type { SshBastionProps, SshLoginProps, SshOptions, SshProps } from './ssh-props.js';
