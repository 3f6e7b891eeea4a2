import type { Extension } from '../../engine/extension.js';
import { vmDownload } from './steps.js';

/** Files from the network, verified and kept for later runs. */
export const downloadExtension: Extension = {
  name: 'download',
  steps: [{ kind: vmDownload, load: async () => (await import('./engine/download-handler.js')).downloadHandler() }],
};
