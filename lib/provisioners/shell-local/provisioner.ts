import type { Extension } from '../../engine/extension.js';
import { localScriptStep } from './steps.js';

/** Scripts on the machine that runs `bake`. */
export const shellLocalExtension: Extension = {
  name: 'shell-local',
  steps: [{ kind: localScriptStep, load: async () => (await import('./engine/shell-local-handler.js')).shellLocalHandler }],
};
