import type { Extension } from '../../engine/extension.js';
import { sleepStep } from './steps.js';

/** Waits between provisioners. */
export const sleepExtension: Extension = {
  name: 'sleep',
  steps: [{ kind: sleepStep, load: async () => (await import('./engine/sleep-handler.js')).sleepHandler }],
};
