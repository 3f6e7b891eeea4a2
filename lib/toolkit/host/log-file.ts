import { createWriteStream, type WriteStream } from 'node:fs';
import type { BakeEvent, IoHost } from '../../core/events.js';

/** Passes everything on to another host and writes it to the run's log, one JSON object a line, as `--json` does. */
export class LoggingHost implements IoHost {
  readonly #inner: IoHost;
  readonly #file: WriteStream;

  constructor(inner: IoHost, path: string) {
    this.#inner = inner;
    this.#file = createWriteStream(path, { flags: 'a', mode: 0o600 });
    this.#file.on('error', () => {}); // a full disk must not end a run for the sake of its log
  }

  notify(event: BakeEvent): void {
    this.#file.write(`${JSON.stringify(event)}\n`);
    this.#inner.notify(event);
  }

  ask(...args: Parameters<IoHost['ask']>): Promise<string> {
    return this.#inner.ask(...args);
  }

  close(): Promise<void> {
    return new Promise((resolve) => { this.#file.end(() => resolve()); this.#file.on('error', () => resolve()); });
  }
}
