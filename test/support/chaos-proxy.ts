// A bad day between bake and a cloud: calls that are refused for now, that fail, that are lost before or after they took effect, and answers that take long.
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

/** Parts of all calls, from 0 to 1. */
export interface Chaos {
  readonly throttled: number;
  readonly failed: number;
  /** The connection ends before the call reaches the server. */
  readonly lost: number;
  /** The connection ends when the call has taken effect. */
  readonly unanswered: number;
  readonly slow: number;
  /** Only calls whose name matches are harmed. @default - all */
  readonly only?: RegExp;
}

export interface ChaosProxy {
  readonly url: string;
  /** What was done to which calls, such as `lost RunInstances`. */
  readonly done: readonly string[];
  /** The actions that the server was asked for. */
  readonly asked: ReadonlySet<string>;
}

/** Milliseconds that a slow answer takes. */
const slowness = 400;

export interface ChaosOptions {
  /** The same does the same to the same calls. @default 1 */
  readonly seed?: number;
  /** @default - nothing is harmed */
  readonly chaos?: Chaos;
  /** Is told of each call that reaches it. @default - nobody is */
  readonly onCall?: (action: string, body: string) => void;
  /** What an answer says instead. @default - the same */
  readonly edit?: (answer: string) => string;
}

/** Starts one in front of a server. It ends with the test. */
export async function startChaosProxy(t: Test, target: string, { seed = 1, chaos = { throttled: 0, failed: 0, lost: 0, unanswered: 0, slow: 0 }, onCall = () => {}, edit }: ChaosOptions = {}): Promise<ChaosProxy> {
  const random = randomOf(seed);
  const done: string[] = [];
  const asked = new Set<string>();
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks);
      const action = new URLSearchParams(body.toString('latin1')).get('Action') ?? String(incoming.headers['x-amz-target'] ?? incoming.url).replace(/^.*\./, '');
      asked.add(action);
      onCall(action, body.toString());
      const what = chaos.only?.test(action) === false ? undefined : choose(random(), chaos);
      if (what !== undefined) done.push(`${what} ${action}`);
      if (what === 'lost') return void incoming.socket.destroy();
      if (what === 'throttled') return refuse(response, 'RequestLimitExceeded', 'Request limit exceeded.');
      if (what === 'failed') return refuse(response, 'InternalError', 'An internal error has occurred');
      forward(target, incoming, body, (answer, text) => {
        if (what === 'unanswered') return void incoming.socket.destroy();
        const { 'content-length': _, ...headers } = answer.headers;
        const send = () => { response.writeHead(answer.statusCode ?? 500, headers).end(edit === undefined ? text : edit(text.toString())); };
        if (what === 'slow') setTimeout(send, slowness);
        else send();
      });
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.teardown(() => { server.closeAllConnections(); server.close(); });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, done, asked };
}

function choose(value: number, { throttled, failed, lost, unanswered, slow }: Chaos): keyof Omit<Chaos, 'only'> | undefined {
  let sum = 0;
  return Object.entries({ throttled, failed, lost, unanswered, slow }).find(([, rate]) => value < (sum += rate))?.[0] as ReturnType<typeof choose>;
}

function refuse(response: ServerResponse, code: string, message: string): void {
  response.writeHead(503, { 'content-type': 'text/xml' }).end(`<Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors><RequestID>chaos</RequestID></Response>`);
}

function forward(target: string, { url = '/', method, headers }: IncomingMessage, body: Buffer, onAnswer: (answer: IncomingMessage, text: Buffer) => void): void {
  const outgoing = request(new URL(url, target), { method: method ?? 'POST', headers }, (answer) => {
    const chunks: Buffer[] = [];
    answer.on('data', (chunk: Buffer) => chunks.push(chunk));
    answer.on('end', () => onAnswer(answer, Buffer.concat(chunks)));
  });
  outgoing.end(body);
}

/** Numbers from 0 to 1, the same for the same seed: mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}
