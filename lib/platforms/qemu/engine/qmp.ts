import { connect, type Socket } from 'node:net';
import { BakeError } from '../../../core/bake-error.js';
import type { Json, JsonObject } from '../../../core/json.js';
import { LineSplitter } from '../../../core/lines.js';

/** Where QEMU listens for its control protocol: a socket's path, or a loopback port where there are no such sockets. */
export type QmpAddress = string | number;

export interface QmpEvent {
  /** `SHUTDOWN`, `RESET`, `STOP`. */
  readonly event: string;
  readonly data: JsonObject;
}

interface Pending {
  readonly command: string;
  readonly resolve: (result: Json) => void;
  readonly reject: (error: Error) => void;
}

/** Characters of an answer: what QEMU says of a disk grows with the square of its layers, and was 64 Ki at 32 of them. */
const longestMessage = 64 * 1024 * 1024;

/**
 * QEMU's control protocol (QMP): commands and events as JSON. QEMU serves one client at a time, so a step closes it when it is
 * done. Once the connection is lost every call fails with `MachineGone`.
 */
export class Qmp {
  /** @throws BakeError `MachineGone` if nobody listens there */
  static async connect(address: QmpAddress): Promise<Qmp> {
    const socket = typeof address === 'number' ? connect(address, '127.0.0.1') : connect(address);
    const qmp = new Qmp(socket);
    await qmp.#greeted;
    await qmp.execute('qmp_capabilities');
    return qmp;
  }

  readonly #socket: Socket;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Set<(event: QmpEvent) => void>();
  readonly #closed = new AbortController();
  readonly #greeted: Promise<void>;
  #next = 1;

  private constructor(socket: Socket) {
    this.#socket = socket;
    let greet = (): void => {};
    this.#greeted = new Promise((resolve, reject) => {
      greet = resolve;
      this.closed.addEventListener('abort', () => reject(this.#gone('connecting')), { once: true });
    });
    this.#greeted.catch(() => {}); // whoever waits is told
    const lines = new LineSplitter((line) => this.#take(JSON.parse(line) as JsonObject, greet), longestMessage);
    socket.on('data', (chunk) => {
      try {
        lines.write(chunk as Buffer);
      } catch {
        socket.destroy(); // it does not speak the protocol
      }
    });
    let cause: Error | undefined;
    socket.on('error', (error) => { cause = error; });
    socket.on('close', () => {
      this.#closed.abort(cause);
      for (const { command, reject } of this.#pending.values()) reject(this.#gone(command));
      this.#pending.clear();
    });
  }

  /** Aborted when the connection is closed, which QEMU's end does too. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** @throws BakeError `MachineGone`, `QemuCommandFailed` with QEMU's own description */
  execute(command: string, parameters?: JsonObject): Promise<Json> {
    if (this.closed.aborted) return Promise.reject(this.#gone(command));
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { command, resolve, reject });
      this.#socket.write(`${JSON.stringify({ execute: command, ...(parameters === undefined ? {} : { arguments: parameters }), id })}\n`);
    });
  }

  /** Calls `listener` for each event from now on; returns how to stop. */
  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(message: JsonObject, greet: () => void): void {
    if ('QMP' in message) return greet();
    if (typeof message['event'] === 'string') {
      const event: QmpEvent = { event: message['event'], data: (message['data'] ?? {}) as JsonObject };
      for (const listener of this.#listeners) listener(event);
      return;
    }
    const pending = this.#pending.get(message['id'] as number);
    if (pending === undefined) return;
    this.#pending.delete(message['id'] as number);
    const error = message['error'] as { readonly desc?: string } | undefined;
    if (error === undefined) pending.resolve(message['return'] ?? null);
    else pending.reject(new BakeError({ code: 'QemuCommandFailed', source: 'platform', message: `QEMU refused ${pending.command}: ${error.desc ?? 'it does not say why'}` }));
  }

  #gone(command: string): BakeError {
    return new BakeError({ code: 'MachineGone', source: 'platform', message: `QEMU has ended, so ${command} could not be done`, ...(this.closed.reason instanceof Error ? { cause: this.closed.reason } : {}) });
  }
}
