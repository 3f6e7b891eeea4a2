import type { OpenCommunicator } from '../../../engine/extension.js';
import { localConnection } from '../connection.js';
import { LocalCommunicator } from './local-communicator.js';

/** Opens a communicator to this machine; nothing can fail but a connection that is not one. */
export const openLocal: OpenCommunicator = async (connection, host) => {
  const { cwd } = localConnection.parse(connection);
  return new LocalCommunicator({ exec: host.exec, ...(cwd === undefined ? {} : { cwd }) });
};
