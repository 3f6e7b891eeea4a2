import { BakeError } from '../../../core/bake-error.js';
import type { OpenCommunicator } from '../../../engine/extension.js';
import { walkLate } from '../../../plan/late.js';
import { sshConnectionSchema } from '../connection.js';
import { SshCommunicator } from './ssh-communicator.js';

/** Dials a machine and resolves when it has let us in. @throws BakeError see `waitForSsh` */
export const openSsh: OpenCommunicator = async (connection, host) => {
  walkLate(connection, () => {
    throw new BakeError({ code: 'UnresolvedConnection', source: 'bake', message: 'the ssh connection still has unresolved values in it', hint: 'a handler gets a connection through a ref in its own spec, not from another field' });
  });
  const communicator = new SshCommunicator({ connection: sshConnectionSchema.parse(connection), exec: host.exec, clock: host.clock, log: host.log });
  try {
    await communicator.connect(host.signal);
    return communicator;
  } catch (error) {
    await communicator.close();
    throw error;
  }
};
