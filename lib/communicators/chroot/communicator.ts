import type { Extension } from '../../engine/extension.js';

/** Commands in a root tree that is held in namespaces on this computer: connection kind `chroot`. */
export const chrootExtension: Extension = {
  name: 'chroot',
  steps: [],
  communicators: {
    chroot: async () => {
      const { openChroot } = await import('./engine/open-chroot.js');
      return openChroot;
    },
  },
};
