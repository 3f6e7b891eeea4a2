import type { Extension } from '../../engine/extension.js';

/** Commands on the machine that runs `bake`: connection kind `local`. */
export const localExtension: Extension = {
  name: 'local',
  steps: [],
  communicators: {
    local: async () => {
      const { openLocal } = await import('./engine/open-local.js');
      return openLocal;
    },
  },
};
