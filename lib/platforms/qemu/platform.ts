import type { Extension } from '../../engine/extension.js';
import { qemuDisk, qemuHost, qemuImage, qemuMachine, qemuReady, qemuRootDisk, qemuShutdown, qemuType } from './steps.js';

/** Virtual machines of QEMU. */
export const qemuExtension: Extension = {
  name: 'qemu',
  steps: [
    { kind: qemuHost, load: async () => (await import('./engine/host-handler.js')).hostHandler },
    { kind: qemuDisk, load: async () => (await import('./engine/disk-handler.js')).diskHandler },
    { kind: qemuRootDisk, load: async () => (await import('./engine/root-disk-handler.js')).rootDiskHandler },
    { kind: qemuMachine, load: async () => (await import('./engine/machine-handler.js')).machineHandler },
    { kind: qemuType, load: async () => (await import('./engine/type-handler.js')).typeHandler },
    { kind: qemuReady, load: async () => (await import('./engine/ready-handler.js')).readyHandler },
    { kind: qemuShutdown, load: async () => (await import('./engine/shutdown-handler.js')).shutdownHandler },
    { kind: qemuImage, load: async () => (await import('./engine/image-handler.js')).imageHandler },
  ],
  doctor: async (host) => (await import('./engine/doctor.js')).qemuDoctor(host),
  scan: async (host) => (await import('./engine/scan.js')).scanQemu(host),
};
