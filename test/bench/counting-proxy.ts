import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Counts what a cloud is asked for. It takes part of a millisecond of each call, from whoever makes it. */
export interface CountingProxy {
  readonly url: string;
  /** Since they were last taken: how often each action was called. */
  take(): Readonly<Record<string, number>>;
  close(): void;
}

/** Starts one in front of a server. */
export async function startCountingProxy(target: string): Promise<CountingProxy> {
  const agent = new Agent({ keepAlive: true });
  let counts: Record<string, number> = {};
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
      const body = Buffer.concat(chunks);
      const action = new URLSearchParams(body.toString('latin1')).get('Action') ?? 'other';
      counts[action] = (counts[action] ?? 0) + 1;
      const outgoing = request(new URL(incoming.url ?? '/', target), { method: incoming.method ?? 'POST', headers: incoming.headers, agent }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      outgoing.on('error', () => response.destroy());
      outgoing.end(body);
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    take: () => { const taken = counts; counts = {}; return taken; },
    close: () => { server.closeAllConnections(); server.close(); agent.destroy(); },
  };
}
