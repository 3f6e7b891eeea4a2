export { BootstrapSource } from './bootstrap-source.js';
export type { BootstrapSourceProps, BootstrapVariant, DirectoryOutput, OciOutput, RootfsCompression, RootfsOutput, TarballOutput } from './bootstrap-props.js';
