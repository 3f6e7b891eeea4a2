import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { BakeError } from '../../../core/bake-error.js';
import type { SshProxy } from '../connection.js';
import { type Dial, withLimits } from './dial.js';
import { NotReady, notReady } from './not-ready.js';

const defaultPorts = { socks5: 1_080, http: 3_128 };

/** Dials through a proxy, which also looks the machine's name up. */
export function dialProxy(proxy: SshProxy, host: string, port: number): Dial {
  return (limits) => withLimits(limits, (opened) => (proxy.type === 'socks5' ? throughSocks(proxy, host, port, opened) : throughHttp(proxy, host, port, opened)));
}

type Opened = (stream: Duplex) => void;

async function throughSocks({ host: proxyHost, port: proxyPort = defaultPorts.socks5, user, password }: SshProxy, host: string, port: number, opened: Opened): Promise<Duplex> {
  const { SocksClient } = await import('socks');
  const socket = connect({ host: proxyHost, port: proxyPort, noDelay: true });
  opened(socket);
  try {
    await once(socket, 'connect');
    await SocksClient.createConnection({
      command: 'connect', destination: { host, port }, existing_socket: socket,
      proxy: { host: proxyHost, port: proxyPort, type: 5, ...(user === undefined ? {} : { userId: user, password: password ?? '' }) },
    });
    await takeBack(socket);
    return socket;
  } catch (error) {
    throw refused(error as Error, `${proxyHost}:${proxyPort}`);
  }
}

/**
 * What came in one packet with the proxy's own answer, the library tells with the next turn of the event loop, and lets the
 * stream flow from then on, whether anybody listens or not: it is caught and put back.
 */
async function takeBack(socket: Duplex): Promise<void> {
  const early: Buffer[] = [];
  const keep = (chunk: Buffer) => { early.push(chunk); };
  socket.on('data', keep);
  await setImmediate();
  socket.off('data', keep).pause();
  if (early.length > 0) socket.unshift(Buffer.concat(early));
}

function throughHttp({ host: proxyHost, port: proxyPort = defaultPorts.http, user, password }: SshProxy, host: string, port: number, opened: Opened): Promise<Duplex> {
  const target = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const login = user === undefined ? {} : { 'proxy-authorization': `Basic ${Buffer.from(`${user}:${password ?? ''}`).toString('base64')}` };
  return new Promise((resolve, reject) => {
    const asked = request({ host: proxyHost, port: proxyPort, method: 'CONNECT', path: target, headers: { host: target, ...login }, agent: false });
    asked.once('socket', opened);
    asked.on('connect', ({ statusCode = 0, statusMessage = '' }, socket, head) => {
      if (statusCode < 200 || statusCode > 299) {
        socket.destroy();
        reject([401, 403, 407].includes(statusCode) ? forbidden(`${proxyHost}:${proxyPort}`, `${statusCode} ${statusMessage}`) : new NotReady(`the proxy answers ${statusCode} ${statusMessage}`));
        return;
      }
      socket.setNoDelay(true);
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    asked.on('response', (response) => {
      response.destroy();
      reject(new NotReady(`the proxy answers ${response.statusCode}`));
    });
    asked.on('error', (error) => reject(notReady(error)));
    asked.end();
  });
}

/** A wrong password does not become right by trying again; a machine that is not up yet does. */
function refused(error: Error & { readonly code?: string }, proxy: string): Error {
  if (/authentication failed|no acceptable|NotAllowed/i.test(error.message)) return forbidden(proxy, error.message);
  return error.code === undefined ? new NotReady(`from the proxy: ${error.message}`, error) : notReady(error);
}

function forbidden(proxy: string, reason: string): BakeError {
  return new BakeError({ code: 'ProxyForbids', source: 'platform', message: `the proxy ${proxy} does not let us through: ${reason}`, hint: 'look at "proxy": its user and password, and what its rules allow' });
}
