import type { Extension } from '../../engine/extension.js';
import { manifestStep } from './steps.js';

/** The manifest file. */
export const manifestExtension: Extension = {
  name: 'manifest',
  steps: [{ kind: manifestStep, load: async () => (await import('./engine/manifest-handler.js')).manifestHandler }],
};
