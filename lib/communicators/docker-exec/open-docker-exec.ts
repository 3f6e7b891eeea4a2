import type { OpenCommunicator } from '../../engine/extension.js';
import type { ContainerPort } from './container-port.js';
import { DockerExecCommunicator } from './docker-exec-communicator.js';
import { parseDockerExecConnection } from './docker-exec-connection.js';

/** The opener of `docker-exec` connections over an engine's adapter. Opening costs nothing: there is no session to keep. */
export function openDockerExec(portOf: (container: string) => Promise<ContainerPort>): OpenCommunicator {
  return async (connection, host) => {
    const parsed = parseDockerExecConnection(connection);
    return new DockerExecCommunicator({ port: await portOf(parsed.container), connection: parsed, clock: host.clock });
  };
}
