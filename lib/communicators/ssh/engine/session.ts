import type { Duplex } from 'node:stream';
import type ssh2 from 'ssh2';
import type { Clock } from '../../../core/ports.js';
import type { SshConnection, SshLogin } from '../connection.js';
import { type Dial, dialTcp, dialThrough } from './dial.js';
import { dialProxy } from './dial-proxy.js';
import { openForwards } from './forwards.js';
import { HostTrust } from './host-trust.js';
import { loadLoginKeys } from './login-keys.js';
import { waitForSsh } from './wait-for-ssh.js';

export interface SessionHost {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

const defaults = { timeout: 300_000, handshakeTimeout: 30_000, handshakeAttempts: 1, keepaliveInterval: 3_000, keepaliveCountMax: 4 };

/** One login, good for many channels, until it is closed or lost. */
export class Session {
  /**
   * Logs in, through the bastion if there is one; waits for machines that are not up yet.
   * @throws BakeError see `waitForSsh`, `loadLoginKeys`, `HostTrust.load`
   */
  static async open(connection: SshConnection, host: SessionHost): Promise<Session> {
    const session = await Session.openBare(connection, host);
    try {
      session.#forwards = await openForwards(session.client, connection, host.log);
      return session;
    } catch (error) {
      session.close();
      throw error;
    }
  }

  /** As `open`, but no ports are forwarded: for a login beside the one that forwards them. */
  static async openBare(connection: SshConnection, host: SessionHost): Promise<Session> {
    const { bastion, proxy, host: name, port = 22 } = connection;
    if (bastion === undefined) return Session.#logIn(connection, connection, host, proxy === undefined ? dialTcp(name, port) : dialProxy(proxy, name, port));
    const first = await Session.#logIn(bastion, connection, host, dialTcp(bastion.host, bastion.port ?? 22));
    try {
      return await Session.#logIn(connection, connection, host, dialThrough(first.client, name, port), first);
    } catch (error) {
      first.close();
      throw error;
    }
  }

  static async #logIn(login: SshLogin & { agentForwarding?: boolean | undefined }, settings: SshConnection, host: SessionHost, dial: Dial, through?: Session): Promise<Session> {
    const { timeout, handshakeTimeout, handshakeAttempts, keepaliveInterval, keepaliveCountMax, readWriteTimeout = 0 } = { ...defaults, ...settings };
    const [keys, trust] = await Promise.all([loadLoginKeys(login, host.clock.now()), HostTrust.load(login)]);
    const { ciphers, keyExchangeAlgorithms, macs, serverHostKeyAlgorithms, compression } = settings;
    const { client, stream } = await waitForSsh({ ...host, dial, login: { ...login, ciphers, keyExchangeAlgorithms, macs, serverHostKeyAlgorithms, compression }, keys, trust, timeout, handshakeTimeout, handshakeAttempts, keepaliveInterval });
    const session = new Session(client, stream, through);
    if (keepaliveInterval > 0) void session.#watch(host.clock, keepaliveInterval, keepaliveCountMax);
    if (readWriteTimeout > 0) void session.#watch(host.clock, readWriteTimeout / 4, 4);
    return session;
  }

  readonly client: ssh2.Client;
  readonly #stream: Duplex;
  readonly #through: Session | undefined;
  readonly #closed = new AbortController();
  #forwards: () => void = () => {};

  private constructor(client: ssh2.Client, stream: Duplex, through: Session | undefined) {
    this.client = client;
    this.#stream = stream;
    this.#through = through;
    client.on('close', () => {
      this.#closed.abort();
      this.#forwards();
      through?.close();
    });
  }

  /** Aborted when the connection is closed or lost. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }
  get isOpen(): boolean {
    return !this.closed.aborted;
  }

  close(): void {
    this.client.end();
    this.#closed.abort();
    this.#forwards();
    this.#through?.close();
  }

  /**
   * Gives a connection up on which nothing at all came back for `count` intervals, in which the library asked for an
   * answer each time. Any byte counts: an answer may stand in a long queue behind an upload.
   */
  async #watch(clock: Clock, interval: number, count: number): Promise<void> {
    let silent = 0;
    const onData = () => { silent = 0; };
    this.#stream.on('data', onData);
    while (this.isOpen) {
      await clock.sleep(interval, this.#closed.signal).catch(() => {});
      if (this.isOpen && ++silent > count) this.#stream.destroy();
    }
    this.#stream.off('data', onData);
  }
}
