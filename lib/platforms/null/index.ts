export { HostKey } from '../../communicators/ssh/index.js';
export type { SshBastionProps, SshLoginProps, SshOptions, SshProps } from '../../communicators/ssh/index.js';
export { NullSource, type NullSourceProps } from './null-source.js';
