import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { checkServerIdentity } from 'node:tls';
import { failureOf, HttpFailure } from './http-failure.js';
import { proxyAgent } from './proxy-agent.js';

/** One answer. Its body is read once, or discarded. */
export interface HttpReply {
  /** Where redirects have led to. */
  readonly url: string;
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Throws `HttpFailure`, or the signal's reason if aborted. */
  readonly body: AsyncIterable<Uint8Array>;
  discard(): void;
}

/** GET requests over HTTP. */
export interface HttpClient {
  /** Follows redirects. @throws HttpFailure, or the signal's reason if aborted */
  get(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<HttpReply>;
}

const redirects = new Set([301, 302, 303, 307, 308]);
const mostRedirects = 10;

/**
 * A client that goes through the proxies of the environment. A connection on which nothing comes for `stall` milliseconds is
 * given up. Each request has a connection of its own: a download is too long for that to matter.
 */
export function httpClient(stall: number): HttpClient {
  return {
    async get(url, headers, signal) {
      let target = url;
      let credentials = authorizationOf(url);
      const seen = new Set<string>();
      for (;;) {
        const response = await answer(target, { ...credentials, ...headers }, stall, signal);
        const { location } = response.headers;
        if (!redirects.has(response.statusCode ?? 0) || location === undefined) return replyOf(response, target, stall, signal);
        discard(response);
        seen.add(target.href);
        const next = nextTarget(location, target);
        if (seen.has(next.href)) throw new HttpFailure('it redirects in a circle', { transient: false });
        if (seen.size > mostRedirects) throw new HttpFailure(`it redirects more than ${mostRedirects} times`, { transient: false });
        // Another host must not learn them.
        if (next.origin !== target.origin) credentials = {};
        credentials = { ...credentials, ...authorizationOf(next) };
        target = next;
      }
    },
  };
}

async function answer(url: URL, headers: Readonly<Record<string, string>>, stall: number, signal: AbortSignal): Promise<IncomingMessage> {
  signal.throwIfAborted();
  const agent = await proxyAgent(url);
  const timer = new AbortController();
  const timeout = setTimeout(() => timer.abort(), stall);
  try {
    return await new Promise<IncomingMessage>((resolve, reject) => {
      const send = url.protocol === 'https:' ? requestHttps : requestHttp;
      const { protocol, port, pathname, search } = url;
      const hostname = url.hostname.replace(/^\[|\]$/g, '');
      const request: ClientRequest = send({
        protocol, hostname, port, path: `${pathname}${search}`, agent: agent ?? false, signal,
        // Through a proxy, an IP address would be compared as "localhost".
        checkServerIdentity: (_host, certificate) => checkServerIdentity(hostname, certificate),
        headers: { 'user-agent': 'bake', 'accept': '*/*', 'accept-encoding': 'identity', ...headers },
      }, resolve);
      request.on('error', reject);
      timer.signal.addEventListener('abort', () => request.destroy(silence(stall)));
      request.end();
    });
  } catch (error) {
    signal.throwIfAborted();
    throw failureOf(error);
  } finally {
    clearTimeout(timeout);
  }
}

function replyOf(response: IncomingMessage, { href: url }: URL, stall: number, signal: AbortSignal): HttpReply {
  const headers = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]));
  return { url, status: response.statusCode ?? 0, headers, body: read(response, stall, signal), discard: () => discard(response) };
}

/** Time that the reader takes is not held against the server. */
async function* read(response: IncomingMessage, stall: number, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const wait = () => setTimeout(() => response.destroy(silence(stall)), stall);
  let timeout = wait();
  try {
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      clearTimeout(timeout);
      yield chunk;
      timeout = wait();
    }
  } catch (error) {
    signal.throwIfAborted();
    throw failureOf(error);
  } finally {
    clearTimeout(timeout);
  }
}

function silence(stall: number): HttpFailure {
  return new HttpFailure(`nothing came for ${stall / 1000} s`, { transient: true });
}

function discard(response: IncomingMessage): void {
  response.on('error', () => {}).destroy();
}

function nextTarget(location: string, from: URL): URL {
  const next = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  // Where it leads is not shown: it may have a token in it.
  if (next?.protocol !== 'http:' && next?.protocol !== 'https:') throw new HttpFailure('it redirects to what is no http or https URL', { transient: false });
  next.hash = '';
  return next;
}

/** What a URL has in front of its host (RFC 7617). */
function authorizationOf({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === '' && password === '') return {};
  return { authorization: `Basic ${Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')}` };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray percent sign
  }
}
