import { createServer, type RequestListener, type Server } from 'node:http';
import { BakeError } from '../../../core/bake-error.js';

/**
 * Starts a server on the first of the ports that is free. It does not keep the process alive.
 * @throws BakeError `PortInUse`, `AddressNotAvailable`, `PortForbidden`
 */
export async function listen(answer: RequestListener, address: string, ports: readonly number[], signal: AbortSignal): Promise<Server> {
  for (const port of ports) {
    signal.throwIfAborted();
    const server = await tryPort(answer, address, port);
    if (server !== undefined) return server.unref();
  }
  const [lowest, highest] = [Math.min(...ports), Math.max(...ports)];
  throw new BakeError({
    code: 'PortInUse',
    message: lowest === highest ? `port ${lowest} of ${address} is in use` : `all ports of ${address} from ${lowest} to ${highest} are in use`,
    hint: 'leave portMin and portMax out, and any free port will be taken; or end the program that has it ("ss -ltnp" lists them)',
  });
}

/** Undefined if the port is in use. */
async function tryPort(answer: RequestListener, address: string, port: number): Promise<Server | undefined> {
  const server = createServer(answer);
  // A guest that keeps a connection open must not hold up the end of bake either.
  server.on('connection', (socket) => socket.unref());
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(meaningOf(error, address, port));
    });
    server.listen({ host: address, port, exclusive: true }, () => resolve(server));
  });
}

function meaningOf(error: NodeJS.ErrnoException, address: string, port: number): unknown {
  switch (error.code) {
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new BakeError({ code: 'AddressNotAvailable', message: `this computer does not have the address "${address}" (${error.code})`, hint: 'give one of its own ("ip address" lists them), 127.0.0.1, or 0.0.0.0 for all', cause: error });
    case 'EACCES':
      return new BakeError({ code: 'PortForbidden', message: `port ${port} of ${address} is not for everybody (EACCES)`, hint: 'take a port from 1024 on', cause: error });
    default:
      return error;
  }
}
