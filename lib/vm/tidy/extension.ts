import type { Extension } from '../../engine/extension.js';
import { vmTidy } from './steps.js';

/** Takes what building put into a machine out again. */
export const tidyExtension: Extension = {
  name: 'tidy',
  steps: [{ kind: vmTidy, load: async () => (await import('./engine/tidy-handler.js')).tidyHandler }],
};
