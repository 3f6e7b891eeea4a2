import type { Extension } from '../../engine/extension.js';
import { verifyStep } from './steps.js';

/** Finished images tried out. */
export const verifyExtension: Extension = {
  name: 'verify',
  steps: [{ kind: verifyStep, load: async () => (await import('./engine/verify-handler.js')).verifyHandler }],
};
