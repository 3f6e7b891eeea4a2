import type { Extension } from '../../engine/extension.js';
import { shellScript } from './steps.js';

export const shellExtension: Extension = {
  name: 'shell',
  steps: [{ kind: shellScript, load: async () => (await import('./engine/shell-handler.js')).shellHandler }],
};
