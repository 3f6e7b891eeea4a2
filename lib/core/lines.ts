import { StringDecoder } from 'node:string_decoder';
import type { Readable } from 'node:stream';

/** A line that grows beyond this many characters is handed on in pieces, where nobody says otherwise. */
const longestLine = 64 * 1024;

/** Cuts a byte stream into lines: `\n`, `\r\n`, and a lone `\r` (a progress bar redrawn) end one. */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  readonly #onLine: (line: string) => void;
  readonly #longest: number;
  #rest = '';

  /** @param longest characters of a line that is handed on as a whole */
  constructor(onLine: (line: string) => void, longest = longestLine) {
    this.#onLine = onLine;
    this.#longest = longest;
  }

  write(chunk: Uint8Array): void {
    this.#take(this.#decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)));
  }
  /** Hands on a last line without a line end. */
  end(): void {
    this.#take(this.#decoder.end());
    const rest = this.#rest.replace(/\r$/, '');
    this.#rest = '';
    if (rest !== '') this.#onLine(rest);
  }

  #take(text: string): void {
    if (text === '') return;
    const lines = (this.#rest + text).split(/\r?\n|\r(?!\n|$)/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#onLine(line);
    while (this.#rest.length > this.#longest) {
      this.#onLine(this.#rest.slice(0, this.#longest));
      this.#rest = this.#rest.slice(this.#longest);
    }
  }
}

/** Calls `onLine` for each line of a stream, and resolves at its end. */
export function eachLine(stream: Readable, onLine: (line: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const splitter = new LineSplitter(onLine);
    stream.on('data', (chunk: Uint8Array) => splitter.write(chunk));
    stream.on('error', reject);
    stream.on('close', () => { splitter.end(); resolve(); });
  });
}
