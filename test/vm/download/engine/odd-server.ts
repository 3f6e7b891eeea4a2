import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

/** One request as the server saw it. */
export interface Seen {
  readonly path: string;
  readonly range: string | undefined;
  readonly headers: IncomingMessage['headers'];
}

export type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void;

/** A server on a free port that answers as the test says; `count` is 1 for the first request. */
export async function oddServer(t: Test, answer: Answer): Promise<{ readonly url: string; readonly seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    seen.push({ path: request.url ?? '', range: request.headers.range, headers: request.headers });
    answer(request, response, seen.length);
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.teardown(() => new Promise<void>((resolve) => { server.close(() => resolve()); server.closeAllConnections(); }));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

export interface ServeOptions {
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
  /** The connection breaks off after so many bytes of this answer. */
  readonly breakAfter?: number | undefined;
  /** Whether a Range is answered at all. @default true */
  readonly ranges?: boolean;
  /** Whether If-Range is heeded, as it must be. @default true */
  readonly ifRange?: boolean;
}

/** Serves bytes as a good server does, apart from what the options say. */
export function serve(request: IncomingMessage, response: ServerResponse, content: Buffer, { etag, lastModified, breakAfter, ranges = true, ifRange = true }: ServeOptions = {}): void {
  const { range, 'if-range': condition } = request.headers;
  const headers = { ...(etag === undefined ? {} : { etag }), ...(lastModified === undefined ? {} : { 'last-modified': lastModified }) };
  const isSame = (given: IncomingMessage['headers'][string]) => given !== undefined && (given === etag || given === lastModified);
  if (isSame(request.headers['if-none-match']) || isSame(request.headers['if-modified-since'])) {
    response.writeHead(304, headers).end();
    return;
  }
  const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? -1);
  const isPart = ranges && start >= 0 && (condition === undefined || !ifRange || isSame(condition));
  if (isPart && start >= content.length) {
    response.writeHead(416, { ...headers, 'content-range': `bytes */${content.length}` }).end();
    return;
  }
  const body = isPart ? content.subarray(start) : content;
  response.writeHead(isPart ? 206 : 200, { ...headers, 'content-length': body.length, ...(isPart ? { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` } : {}) });
  if (breakAfter === undefined) response.end(body);
  else response.write(body.subarray(0, breakAfter), () => response.destroy());
}

/** Bytes that are nowhere the same. */
export function noise(length: number, seed = 'a'): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, index) => createHash('sha256').update(`${seed}${index}`).digest());
  return Buffer.concat(blocks).subarray(0, length);
}

export const sumOf = (content: Buffer, algorithm = 'sha256'): string => createHash(algorithm).update(content).digest('hex');
