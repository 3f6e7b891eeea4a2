/** Bytes before each frame of an attached stream: kind, three zeros, length. https://docs.docker.com/reference/api/engine (attach) */
const headerLength = 8;
const stderrKind = 2;

/** Takes a daemon's multiplexed stream apart; hands on pieces of a frame as they arrive, without copying what is whole. */
export class StreamDemux {
  readonly #onStdout: (chunk: Uint8Array) => void;
  readonly #onStderr: (chunk: Uint8Array) => void;
  #header = Buffer.alloc(0);
  #kind = 0;
  #left = 0;

  constructor(onStdout: (chunk: Uint8Array) => void, onStderr: (chunk: Uint8Array) => void) {
    this.#onStdout = onStdout;
    this.#onStderr = onStderr;
  }

  write(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#left > 0) {
        const piece = rest.subarray(0, this.#left);
        this.#left -= piece.length;
        rest = rest.subarray(piece.length);
        (this.#kind === stderrKind ? this.#onStderr : this.#onStdout)(piece);
        continue;
      }
      const missing = headerLength - this.#header.length;
      this.#header = Buffer.concat([this.#header, rest.subarray(0, missing)]);
      rest = rest.subarray(missing);
      if (this.#header.length < headerLength) return;
      this.#kind = this.#header.readUInt8(0);
      this.#left = this.#header.readUInt32BE(4);
      this.#header = Buffer.alloc(0);
    }
  }
}
