import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import type ssh2 from 'ssh2';
import { BakeError } from '../../../core/bake-error.js';
import type { Clock } from '../../../core/ports.js';
import { NoAnswer, NotReady, notReady } from './not-ready.js';

/** Ends an attempt: when one of its two parts takes longer, or when the caller is aborted. */
export interface DialLimits {
  readonly clock: Clock;
  /** Milliseconds until the connection is there. */
  readonly connectLimit: number;
  /** Milliseconds from then on until the banner is; at least three times as long as the connection itself took. */
  readonly bannerLimit: number;
  readonly signal: AbortSignal;
}

/**
 * Opens a byte stream to an ssh server, on which the server's banner has arrived and is still unread. Something that
 * accepts connections before the guest listens (a port forward) so costs one short attempt and no hung handshake.
 * Rejects with `NotReady` where another attempt may succeed.
 */
export type Dial = (limits: DialLimits) => Promise<Duplex>;

/** Dials directly. */
export function dialTcp(host: string, port: number): Dial {
  return (limits) => withLimits(limits, (opened) => new Promise<Duplex>((resolve, reject) => {
    // Keystroke-sized packets must not wait for each other.
    const socket = connect({ host, port, noDelay: true });
    opened(socket);
    socket.once('error', (error) => reject(notReady(error)));
    socket.once('connect', () => resolve(socket));
  }));
}

/** Dials from a machine that is logged in to already. */
export function dialThrough(bastion: ssh2.Client, host: string, port: number): Dial {
  return (limits) => withLimits(limits, (opened) => new Promise<Duplex>((resolve, reject) => {
    const onOpen = (error: (Error & { reason?: unknown }) | undefined, channel: Duplex) => {
      if (error === undefined) {
        opened(channel);
        resolve(channel);
      } else if (error.reason === 1) { // administratively prohibited, RFC 4254, 5.1
        reject(new BakeError({ code: 'BastionForbids', source: 'platform', message: `the bastion does not forward connections to ${host}:${port}`, hint: 'AllowTcpForwarding and PermitOpen in its sshd_config decide on that', cause: error }));
      } else {
        reject(new NotReady(error.message.replace('(SSH) Channel open failure: ', 'from the bastion: '), error));
      }
    };
    try {
      bastion.forwardOut('127.0.0.1', 0, host, port, onOpen);
    } catch (error) {
      reject(new NotReady('the bastion is gone', error));
    }
  }));
}

/**
 * Opens a stream and waits for the banner on it, with what is open closed again if that does not work out in time: so it
 * must be told of the stream as soon as there is one, not only once it is ready.
 */
export async function withLimits({ clock, connectLimit, bannerLimit, signal }: DialLimits, open: (opened: (stream: Duplex) => void) => Promise<Duplex>): Promise<Duplex> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const within = async <T>(work: Promise<T>, limit: number, reason: string): Promise<T> => {
    work.catch(() => {});
    const part = new AbortController();
    const timer = clock.sleep(limit, AbortSignal.any([either, part.signal])).then(() => { throw new NoAnswer(`${reason} within ${Math.round(limit)} ms`); });
    timer.catch(() => {});
    return Promise.race([work, timer]).finally(() => part.abort());
  };
  let stream: Duplex | undefined;
  try {
    const dialled = clock.now();
    const ready = await within(open((it) => {
      stream = it;
      it.on('error', () => {}); // whoever uses the stream hears of its end
      if (over.signal.aborted) it.destroy();
    }), connectLimit, 'no answer');
    const patience = Math.max(bannerLimit, 3 * (clock.now() - dialled));
    await within(bannerOn(ready), patience, 'it accepts connections, but no ssh server says hello');
    stream = undefined;
    return ready;
  } finally {
    over.abort();
    stream?.destroy();
  }
}

/** So much may come before the banner; bytes. */
const mostBefore = 8_192;

function bannerOn(stream: Duplex): Promise<void> {
  return new Promise((resolve, reject) => {
    let read = Buffer.alloc(0);
    const onData = (chunk: Buffer) => {
      read = Buffer.concat([read, chunk]);
      // Other lines may come before the one that counts, RFC 4253, 4.2; and all of them in pieces.
      const isBanner = /^SSH-/m.test(read.toString('latin1'));
      if (!isBanner && read.length < mostBefore) return;
      stream.pause();
      done();
      stream.unshift(read);
      if (isBanner) resolve();
      else reject(noBanner());
    };
    const noBanner = () => new NotReady(read.length === 0 ? 'it closed the connection without a word' : `it answers "${read.toString('latin1', 0, 60).trim()}" instead of speaking ssh`);
    const onEnd = () => {
      done();
      reject(noBanner());
    };
    const done = () => stream.off('data', onData).off('end', onEnd).off('close', onEnd);
    stream.on('data', onData).on('end', onEnd).on('close', onEnd).resume();
  });
}
