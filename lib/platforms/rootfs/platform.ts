import type { Extension } from '../../engine/extension.js';
import { rootfsDirectory, rootfsMachine, rootfsOci, rootfsSeal, rootfsSnapshot, rootfsTarball, rootfsTree } from './steps.js';

const port = async () => (await import('./engine/linux/linux-rootfs.js')).linuxRootfs;

/** Root file-system trees made on this computer, without a daemon. */
export const rootfsExtension: Extension = {
  name: 'rootfs',
  steps: [
    { kind: rootfsSnapshot, load: async () => (await import('./engine/snapshot-handler.js')).snapshotHandler() },
    { kind: rootfsTree, load: async () => (await import('./engine/tree-handler.js')).treeHandler(await port()) },
    { kind: rootfsMachine, load: async () => (await import('./engine/machine-handler.js')).machineHandler(await port()) },
    { kind: rootfsSeal, load: async () => (await import('./engine/seal-handler.js')).sealHandler(await port()) },
    { kind: rootfsTarball, load: async () => (await import('./engine/tarball-handler.js')).tarballHandler(await port()) },
    { kind: rootfsDirectory, load: async () => (await import('./engine/directory-handler.js')).directoryHandler(await port()) },
    { kind: rootfsOci, load: async () => (await import('./engine/oci-handler.js')).ociHandler(await port()) },
  ],
  doctor: async (host) => (await import('./engine/linux/doctor.js')).rootfsDoctor(host),
  scan: async (host) => (await import('./engine/linux/scan.js')).scanRootfs(host),
};
