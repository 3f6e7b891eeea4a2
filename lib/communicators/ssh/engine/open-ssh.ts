import { BakeError } from '../../../core/bake-error.js';
import type { CommunicatorHost, OpenCommunicator } from '../../../engine/extension.js';
import { walkLate } from '../../../plan/late.js';
import { type SshConnection, sshConnectionSchema } from '../connection.js';
import { Session } from './session.js';
import { SshCommunicator } from './ssh-communicator.js';

/** Dials a machine and resolves when it has let us in. @throws BakeError see `waitForSsh` */
export const openSsh: OpenCommunicator = async (connection, host) => {
  walkLate(connection, () => {
    throw new BakeError({ code: 'UnresolvedConnection', source: 'bake', message: 'the ssh connection still has unresolved values in it', hint: 'a handler gets a connection through a ref in its own spec, not from another field' });
  });
  const settings = sshConnectionSchema.parse(connection);
  const communicator = new SshCommunicator({ connection: settings, exec: host.exec, clock: host.clock, log: host.log });
  try {
    if (settings.pauseBeforeConnecting !== undefined) await waitOnceInside(settings, settings.pauseBeforeConnecting, host);
    await communicator.connect(host.signal);
    return communicator;
  } catch (error) {
    await communicator.close();
    throw error;
  }
};

/** The machine lets us in, and is left alone for a while: it may be about to reboot. */
async function waitOnceInside(connection: SshConnection, pause: number, host: CommunicatorHost): Promise<void> {
  const session = await Session.openBare(connection, host);
  session.close();
  host.log(`the machine lets us in; waiting ${pause / 1_000} s before connecting, as asked`);
  await host.clock.sleep(pause, host.signal);
}
