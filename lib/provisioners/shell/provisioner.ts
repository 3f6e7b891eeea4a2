import type { Extension } from '../../engine/extension.js';
import { shellScriptStep } from './steps.js';

/** Scripts on the machine being built. */
export const shellExtension: Extension = {
  name: 'shell',
  steps: [{ kind: shellScriptStep, load: async () => (await import('./engine/shell-handler.js')).shellHandler }],
};
