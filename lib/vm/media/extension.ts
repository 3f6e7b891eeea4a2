import type { Extension } from '../../engine/extension.js';
import { cdImage, cloudInitSeed, floppyImage } from './steps.js';

/** Disks with files on them for a machine that boots: CDs, floppies, and cloud-init's CD. */
export const mediaExtension: Extension = {
  name: 'media',
  steps: [
    { kind: cdImage, load: async () => (await import('./engine/cd-handler.js')).cdHandler },
    { kind: floppyImage, load: async () => (await import('./engine/floppy-handler.js')).floppyHandler },
    { kind: cloudInitSeed, load: async () => (await import('./engine/seed-handler.js')).seedHandler },
  ],
  doctor: async (host) => (await import('./engine/doctor.js')).mediaDoctor(host),
};
