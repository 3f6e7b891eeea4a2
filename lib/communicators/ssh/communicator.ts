import type { Extension } from '../../engine/extension.js';

/** Machines that run an ssh server: connection kind `ssh`, through the library ssh2, which is loaded with the first connection. */
export const sshExtension: Extension = {
  name: 'ssh',
  steps: [],
  communicators: {
    ssh: async () => {
      const { openSsh } = await import('./engine/open-ssh.js');
      return openSsh;
    },
  },
};
