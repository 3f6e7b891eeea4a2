import type { Extension } from '../../engine/extension.js';
import { nullArtifact, nullMachine, nullNowhere } from './steps.js';

/** Existing machines, this computer, or no machine at all. */
export const nullExtension: Extension = {
  name: 'null',
  steps: [
    { kind: nullMachine, load: async () => (await import('./engine/machine-handler.js')).machineHandler((await import('./engine/host-login-files.js')).hostLoginFiles) },
    { kind: nullNowhere, load: async () => (await import('./engine/nowhere-handler.js')).nowhereHandler },
    { kind: nullArtifact, load: async () => (await import('./engine/artifact-handler.js')).artifactHandler },
  ],
  doctor: async () => [], // a platform like the others, that needs nothing
};
