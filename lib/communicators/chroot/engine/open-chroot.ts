import { open, type FileHandle } from 'node:fs/promises';
import { BakeError } from '../../../core/bake-error.js';
import type { CommunicatorHost, OpenCommunicator } from '../../../engine/extension.js';
import { parseChrootConnection } from '../connection.js';
import { processFacts } from '../linux-processes.js';
import { ChrootCommunicator } from './chroot-communicator.js';
import { machineGone } from './machine-gone.js';

/**
 * Opens the machine's namespaces and keeps them open, so that no command can ever land in those of another process that
 * has got the same number since.
 * @throws BakeError `ConnectionLost` if the machine is gone
 */
export const openChroot: OpenCommunicator = async (connection, host) => {
  const machine = parseChrootConnection(connection);
  const names = [...(machine.rootless ? ['user'] : []), 'mnt', 'pid', 'ipc', 'uts'];
  const namespaces: { name: string; file: FileHandle }[] = [];
  try {
    for (const name of names) namespaces.push({ name, file: await open(`/proc/${machine.init}/ns/${name}`) });
    const init = await processFacts(machine.init);
    if (init?.start !== machine.initStart || init.isExiting) throw machineGone(machine);
    return new ChrootCommunicator({ machine, host, namespaces, nsenter: await findNsenter(host) });
  } catch (error) {
    await Promise.all(namespaces.map(({ file }) => file.close()));
    throw BakeError.is(error) ? error : machineGone(machine, error);
  }
};

/** Its full path, because commands run with a PATH of the machine's. */
async function findNsenter(host: CommunicatorHost): Promise<string> {
  const { stdout } = await host.exec.run({ command: '/bin/sh', args: ['-c', 'command -v nsenter'], signal: host.signal });
  const path = stdout.trim();
  if (path !== '') return path;
  throw new BakeError({ code: 'CommandNotFound', message: 'the command "nsenter" is not on this machine', hint: 'install util-linux: sudo apt-get install util-linux' });
}
