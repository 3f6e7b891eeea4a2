import type { Extension } from '../../engine/extension.js';
import { checksumStep } from './steps.js';

/** Checksums of an artifact's files. */
export const checksumExtension: Extension = {
  name: 'checksum',
  steps: [{ kind: checksumStep, load: async () => (await import('./engine/checksum-handler.js')).checksumHandler }],
};
