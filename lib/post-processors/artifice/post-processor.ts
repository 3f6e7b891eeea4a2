import type { Extension } from '../../engine/extension.js';
import { artificeStep } from './steps.js';

/** Files in the place of an artifact. */
export const artificeExtension: Extension = {
  name: 'artifice',
  steps: [{ kind: artificeStep, load: async () => (await import('./engine/artifice-handler.js')).artificeHandler }],
};
