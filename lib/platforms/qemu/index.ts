export { HostKey } from '../../communicators/ssh/index.js';
export type { SshBastionProps, SshForwardProps, SshLoginProps, SshMachineOptions, SshOptions, SshProxyProps } from '../../communicators/ssh/index.js';
export type { HttpServerProps } from '../../vm/http-server/http-server.js';
export type { CdProps } from '../../vm/media/cd.js';
export type { CloudInitDocument, CloudInitProps } from '../../vm/media/cloud-init/seed.js';
export type { FloppyProps } from '../../vm/media/floppy.js';
export { Download, type DownloadOptions } from '../../vm/download/download.js';
export type {
  QemuAccessProps, QemuBaseProps, QemuDiskProps, QemuFirmwareProps, QemuForwardProps, QemuKernelProps, QemuMachineProps, QemuNetbootProps, QemuSourceProps, QemuSshProps, QemuVncProps,
} from './qemu-props.js';
export { QemuSource } from './qemu-source.js';
