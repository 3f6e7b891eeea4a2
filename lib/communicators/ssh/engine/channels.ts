import type ssh2 from 'ssh2';
import { BakeError } from '../../../core/bake-error.js';
import type { Clock } from '../../../core/ports.js';
import type { Session } from './session.js';

/** The connection went away under a call; `SshCommunicator` dials again for the next one. */
export function connectionLost(cause?: unknown): BakeError {
  return new BakeError({
    code: 'ConnectionLost', source: 'platform', transient: true,
    message: 'the ssh connection was lost', hint: 'if the machine reboots here on purpose, say expectDisconnect', ...(cause === undefined ? {} : { cause }),
  });
}

/** A server may count a session for a moment after it has closed its channel; milliseconds. */
const reapTime = 1_000;
const reapPoll = 20;

/** Opens a channel of one session, such as `(done) => client.exec('true', done)`. */
export type Opener<C> = (client: ssh2.Client, done: (error: Error | undefined, channel: C) => void) => void;

/**
 * The channels of one session. A server allows only so many at a time (OpenSSH's MaxSessions, 10 by default) and does not
 * tell how many: the first refusal does, and from then on further ones wait until another is closed.
 */
export class Channels {
  readonly session: Session;
  readonly #clock: Clock;
  #open = 0;
  #lastClosed = Number.NEGATIVE_INFINITY;
  #limit = Number.POSITIVE_INFINITY;
  readonly #waiting: (() => void)[] = [];

  constructor(session: Session, clock: Clock) {
    this.session = session;
    this.#clock = clock;
  }

  /**
   * @throws BakeError `ConnectionLost` (transient), `CommandNotStarted` if the server refuses the first one already; the
   * signal's reason if aborted
   */
  async open<C extends NodeJS.EventEmitter & { destroy(): unknown }>(opener: Opener<C>, signal?: AbortSignal): Promise<C> {
    for (;;) {
      while (this.#open >= this.#limit) await this.#someClosed(signal);
      this.#open++;
      try {
        const channel = await this.openAtOnce(opener, signal);
        channel.once('close', () => {
          this.#lastClosed = this.#clock.now();
          this.#leave();
        });
        return channel;
      } catch (error) {
        this.#leave();
        if (!BakeError.is(error) || error.code !== 'CommandNotStarted') throw error;
        if (this.#clock.now() - this.#lastClosed < reapTime) await this.#clock.sleep(reapPoll, signal);
        else if (this.#open > 0) this.#limit = this.#open;
        else throw error;
      }
    }
  }

  /** As `open`, but without waiting for a free place. */
  async openAtOnce<C extends { destroy(): unknown }>(opener: Opener<C>, signal?: AbortSignal): Promise<C> {
    const { session } = this;
    signal?.throwIfAborted();
    if (!session.isOpen) throw connectionLost();
    return new Promise<C>((resolve, reject) => {
      let isOver = false;
      const onAbort = () => {
        isOver = true;
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      const lost = (error: unknown) => {
        session.close(); // its own close may be told only later, and nobody shall try this one meanwhile
        reject(connectionLost(error));
      };
      const onDone = (error: Error | undefined, channel: C) => {
        signal?.removeEventListener('abort', onAbort);
        if (isOver) {
          if (error === undefined) channel.destroy();
        } else if (error === undefined) {
          resolve(channel);
        } else if (!session.isOpen || /Not connected|No response from server/.test(error.message)) {
          lost(error);
        } else {
          reject(new BakeError({ code: 'CommandNotStarted', source: 'platform', message: `the machine does not start a command: ${error.message}`, hint: 'its sshd_config may forbid sessions or force a command of its own', cause: error }));
        }
      };
      try {
        opener(session.client, onDone);
      } catch (error) { // the library throws at once if it knows that the connection is gone
        signal?.removeEventListener('abort', onAbort);
        lost(error);
      }
    });
  }

  #leave(): void {
    this.#open--;
    this.#waiting.shift()?.();
  }

  #someClosed(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(proceed), 1);
        reject(signal?.reason as Error);
      };
      const proceed = () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      this.#waiting.push(proceed);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}
