import type { Dispatcher } from 'undici';

/** One answer. Its body is read once, or discarded. */
export interface HttpReply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Throws `HttpFailure`. */
  readonly body: AsyncIterable<Uint8Array>;
  discard(): void;
}

/** GET requests over HTTP. */
export interface HttpClient {
  /** Follows redirects. @throws HttpFailure, or the signal's reason if aborted */
  get(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<HttpReply>;
  close(): Promise<void>;
}

/** A request that got no answer, or one that broke off. */
export class HttpFailure extends Error {
  /** Whether another try may help. */
  readonly transient: boolean;
  /** What the user can do about it. */
  readonly hint: string | undefined;
  /** Milliseconds that the server wants to be left alone. */
  readonly retryAfter: number | undefined;

  constructor(message: string, options: { readonly transient: boolean; readonly hint?: string | undefined; readonly retryAfter?: number | undefined; readonly cause?: unknown }) {
    super(message, { cause: options.cause });
    this.transient = options.transient;
    this.hint = options.hint;
    this.retryAfter = options.retryAfter;
  }
}

/**
 * A client with undici, which follows `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`. A connection on which nothing comes for
 * `stall` milliseconds is given up.
 */
export async function undiciClient(stall: number): Promise<HttpClient> {
  const { EnvHttpProxyAgent, interceptors, request } = await import('undici');
  const agent = new EnvHttpProxyAgent({ headersTimeout: stall, bodyTimeout: stall, connect: { timeout: stall } });
  // Redirected to another host, it leaves the credentials behind.
  const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: 10 }));
  return {
    async get(url, headers, signal) {
      const { target, authorization } = withoutCredentials(url);
      try {
        const reply = await request(target, { dispatcher, signal, headers: { 'user-agent': 'bake', 'accept': '*/*', 'accept-encoding': 'identity', ...authorization, ...headers } });
        return { status: reply.statusCode, headers: flat(reply.headers), body: readable(reply, stall, signal), discard: () => void reply.body.on('error', () => {}).destroy() };
      } catch (error) {
        throw failureOf(error, stall, signal);
      }
    },
    close: () => agent.destroy(),
  };
}

async function* readable({ body }: Dispatcher.ResponseData, stall: number, signal: AbortSignal): AsyncIterable<Uint8Array> {
  try {
    yield* body as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw failureOf(error, stall, signal);
  }
}

function withoutCredentials(url: URL): { readonly target: URL; readonly authorization: Readonly<Record<string, string>> } {
  const target = new URL(url);
  [target.username, target.password, target.hash] = ['', '', ''];
  if (url.username === '' && url.password === '') return { target, authorization: {} };
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { target, authorization: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` } };
}

function flat(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]));
}

const closed = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'HPE_INVALID_EOF_STATE', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH']);
const stalled = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);
const passing = new Set(['ECONNREFUSED', 'ETIMEDOUT', 'EAI_AGAIN', 'ENETUNREACH', 'EHOSTUNREACH', 'ENETDOWN', 'UND_ERR_CONNECT_TIMEOUT']);

function failureOf(error: unknown, stall: number, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  const { code = '', message } = error instanceof Error ? (error as NodeJS.ErrnoException) : { message: String(error) };
  if (closed.has(code)) return new HttpFailure('the connection was closed', { transient: true, cause: error });
  if (stalled.has(code)) return new HttpFailure(`nothing came for ${stall / 1000} s`, { transient: true, cause: error });
  if (/redirect loop/i.test(message)) return new HttpFailure('it redirects in a circle', { transient: false, cause: error });
  if (code === 'ENOTFOUND') return new HttpFailure('no such host', { transient: false, cause: error });
  if (code === 'ECONNREFUSED') return new HttpFailure('the connection was refused', { transient: true, cause: error });
  // Several addresses of one host: the message of the whole is empty.
  const reason = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0].message : message;
  return new HttpFailure(reason === '' ? code : reason, { transient: passing.has(code) || code.startsWith('HPE_'), cause: error });
}
