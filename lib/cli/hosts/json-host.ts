import type { BakeEvent, Question } from '../../core/events.js';
import { safeJson } from '../terminal/neutralise.js';
import type { OutputStream } from '../terminal/output-stream.js';
import type { RunHost } from './run-host.js';

/** Every event as one JSON object a line. A program answers no questions: each gets its fallback. */
export class JsonHost implements RunHost {
  readonly #output: OutputStream;

  constructor(output: OutputStream) {
    this.#output = output;
  }

  notify(event: BakeEvent): void {
    this.#output.write(`${safeJson(event)}\n`);
  }
  async ask(question: Question, signal?: AbortSignal): Promise<string> {
    signal?.throwIfAborted();
    return question.fallback;
  }
  close(): void {}
}
