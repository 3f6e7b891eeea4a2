import type { Extension } from '../../engine/extension.js';
import { fileTransferStep } from './steps.js';

/** Files to and from the machine being built. */
export const fileExtension: Extension = {
  name: 'file',
  steps: [{ kind: fileTransferStep, load: async () => (await import('./engine/file-handler.js')).fileHandler }],
};
