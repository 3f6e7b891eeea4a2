import { connect, createServer, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream';
import type ssh2 from 'ssh2';
import { BakeError } from '../../../core/bake-error.js';
import type { SshConnection, SshForward } from '../connection.js';

/**
 * Opens the forwarded ports of a connection; returns how to close them.
 * @throws BakeError `PortInUse`, `ForwardRefused`
 */
export async function openForwards(client: ssh2.Client, { localForwards = [], remoteForwards = [] }: SshConnection, log: (line: string) => void): Promise<() => void> {
  const servers: Server[] = [];
  const close = () => { for (const server of servers) server.close(); };
  try {
    for (const forward of localForwards) servers.push(await listen(client, forward, log));
    if (remoteForwards.length > 0) await listenThere(client, remoteForwards, log);
    return close;
  } catch (error) {
    close();
    throw error;
  }
}

function listen(client: ssh2.Client, { bindAddress = '127.0.0.1', port, host, hostPort }: SshForward, log: (line: string) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => {}); // who hangs up before the machine has answered
      const failed = (error: Error) => {
        log(`the machine could not reach ${host}:${hostPort}: ${error.message}`);
        socket.destroy();
      };
      try {
        client.forwardOut(socket.remoteAddress ?? '127.0.0.1', socket.remotePort ?? 0, host, hostPort, (error, channel) => {
          if (error === undefined) join(socket, channel);
          else failed(error);
        });
      } catch (error) { // the connection is gone, and its close not told yet
        failed(error as Error);
      }
    });
    server.unref(); // it must not keep the process alive
    server.once('error', (error: NodeJS.ErrnoException) => reject(new BakeError({ code: error.code === 'EADDRINUSE' ? 'PortInUse' : 'ForwardRefused', source: 'platform', message: `the local forward ${bindAddress}:${port} cannot listen: ${error.code ?? error.message}`, hint: 'choose another port in "localForwards", or end what uses it', cause: error })));
    server.listen(port, bindAddress, () => {
      log(`${bindAddress}:${port} leads to ${host}:${hostPort} of the machine`);
      resolve(server);
    });
  });
}

async function listenThere(client: ssh2.Client, forwards: readonly SshForward[], log: (line: string) => void): Promise<void> {
  client.on('tcp connection', ({ destIP, destPort }, accept, reject) => {
    const forward = forwards.find(({ bindAddress = '127.0.0.1', port }) => bindAddress === destIP && port === destPort);
    if (forward === undefined) return reject();
    const socket = connect(forward.hostPort, forward.host);
    const onError = (error: Error) => {
      log(`${forward.host}:${forward.hostPort} could not be reached: ${error.message}`);
      reject();
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      socket.off('error', onError); // what was accepted cannot be refused any more
      join(accept(), socket);
    });
  });
  for (const { bindAddress = '127.0.0.1', port, host, hostPort } of forwards) {
    await new Promise<void>((resolve, reject) => {
      client.forwardIn(bindAddress, port, (error) => {
        if (error === undefined) return resolve();
        reject(new BakeError({ code: 'ForwardRefused', source: 'platform', message: `the machine does not listen on ${bindAddress}:${port}: ${error.message}`, hint: 'its port may be in use, or AllowTcpForwarding in its sshd_config forbids it', cause: error }));
      });
    });
    log(`${bindAddress}:${port} of the machine leads to ${host}:${hostPort}`);
  }
}

/** Both ways, until either side ends. */
function join(one: Duplex, other: Duplex): void {
  pipeline(one, other, () => {});
  pipeline(other, one, () => {});
}
