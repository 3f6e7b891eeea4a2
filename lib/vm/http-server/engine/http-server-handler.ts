import type { Server } from 'node:http';
import { resolve } from 'node:path';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import { urlHost } from '../http-url.js';
import type { HttpServerHandle, HttpServerSpec } from '../steps.js';
import { answerRequests } from './answer-requests.js';
import { listen } from './listen.js';
import { openFolder } from './open-folder.js';
import { portsOf } from './ports-of.js';

/** Servers live in this process alone, so there is nothing to find after its end. */
export function httpServerHandler(): ResourceHandler<HttpServerSpec, HttpServerHandle> {
  const servers = new Map<string, { readonly server: Server; readonly handle: HttpServerHandle }>();
  const folderOf = async ({ directory }: Pick<HttpServerSpec, 'directory'>, ctx: StepContext) => {
    if (directory === undefined) return undefined;
    return openFolder(typeof directory === 'string' ? resolve(ctx.run.project, directory) : directory.path);
  };
  return {
    reads: ({ directory }) => Promise.resolve(typeof directory === 'string' ? { unknown: `what is in ${directory} may have changed` } : {}),
    async acquire(spec, ctx) {
      const { address = '127.0.0.1', content = {} } = spec;
      const folder = await folderOf(spec, ctx);
      const server = await listen(answerRequests({ folder, content, log: (line) => ctx.log(line, 'info') }), address, portsOf(spec), ctx.signal);
      const place = server.address();
      const port = typeof place === 'object' && place !== null ? place.port : 0;
      const handle = { port, address, url: `http://${urlHost(address)}:${port}` };
      servers.set(ctx.token, { server, handle });
      ctx.log(`listening on ${handle.url}`, 'info');
      return handle;
    },
    async find(token) {
      return servers.get(token)?.handle;
    },
    async release(_handle, ctx) {
      const server = servers.get(ctx.token)?.server;
      if (server === undefined) return;
      await new Promise<void>((done) => {
        server.close(() => done());
        server.closeAllConnections();
      });
      servers.delete(ctx.token);
    },
  };
}
