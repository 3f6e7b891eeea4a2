import type { Extension } from '../../engine/extension.js';
import { sshKeyPair } from './steps.js';

/** Machines that run an ssh server: connection kind `ssh`, through the library ssh2, which is loaded with the first connection. */
export const sshExtension: Extension = {
  name: 'ssh',
  steps: [{ kind: sshKeyPair, load: async () => (await import('./engine/key-pair-handler.js')).keyPairHandler }],
  communicators: {
    ssh: async () => {
      const { openSsh } = await import('./engine/open-ssh.js');
      return openSsh;
    },
  },
};
