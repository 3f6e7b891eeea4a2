import { stripVTControlCharacters } from 'node:util';
import { defaultColumns, defaultRows, type OutputStream } from './output-stream.js';
import { textWidth } from './text-width.js';

const hideCursor = '\x1b[?25l';
const showCursor = '\x1b[?25h';
const clearLine = '\x1b[K';
const clearBelow = '\x1b[J';
// Terminals that know it show a frame at once (https://gist.github.com/christianparpart/d8a62cc1ab659194337d73e399004036); others ignore it.
const beginFrame = '\x1b[?2026h';
const endFrame = '\x1b[?2026l';
// A line that is wider than we think is cut by the terminal and cannot push the frame down.
const wrapOff = '\x1b[?7l';
const wrapOn = '\x1b[?7h';

/**
 * The last lines of a terminal, drawn again and again, with what scrolls away above them. The cursor rests in the first
 * column of the line below, so that whatever else is printed there does little harm.
 */
export class LiveScreen {
  readonly #stream: OutputStream;
  #frame: readonly string[] = [];
  #above: string[] = [];
  #isOpen = false;
  #resized = false;
  /** Lines that the cursor was moved down since the last frame. */
  #pushed = 0;
  readonly #onResize = (): void => { this.#resized = true; };

  constructor(stream: OutputStream) {
    this.#stream = stream;
  }

  get columns(): number {
    return this.#stream.columns ?? defaultColumns;
  }
  /** Lines that a frame may have. */
  get height(): number {
    return Math.max(1, (this.#stream.rows ?? defaultRows) - 1);
  }

  /** Lines that stay, above the frame; shown with the next frame. */
  printAbove(lines: readonly string[]): void {
    this.#above.push(...lines);
  }

  /** Somebody else, such as a person pressing Enter, has moved the cursor down so many lines. */
  pushedDown(lines: number): void {
    if (this.#isOpen) this.#pushed += lines;
  }

  /** Replaces the frame. Writes nothing if nothing changed. */
  draw(lines: readonly string[]): void {
    const frame = lines.slice(0, this.height);
    const isSame = !this.#resized && this.#pushed === 0 && this.#above.length === 0 && frame.length === this.#frame.length && frame.every((line, index) => line === this.#frame[index]);
    if (isSame) return;
    const opening = this.#open();
    const above = this.#above.map((line) => `${line}${clearLine}\n`).join('');
    const body = frame.map((line) => `${line}${clearLine}\n`).join('');
    this.#stream.write(`${opening}${beginFrame}${this.#toTop()}${above}${wrapOff}${body}${clearBelow}${wrapOn}${endFrame}`);
    this.#above = [];
    this.#frame = frame;
    this.#pushed = 0;
    this.#resized = false;
  }

  /** Takes the frame away and gives the terminal back, as before a question. `draw` opens it again. */
  close(): void {
    if (this.#above.length > 0) this.draw([]);
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#stream.off('resize', this.#onResize);
    this.#stream.write(`${this.#toTop()}${clearBelow}${wrapOn}${showCursor}`);
    this.#frame = [];
    this.#pushed = 0;
  }

  #open(): string {
    if (this.#isOpen) return '';
    this.#isOpen = true;
    this.#stream.on('resize', this.#onResize);
    return hideCursor;
  }

  /** After a resize the terminal has broken the old lines anew. */
  #toTop(): string {
    const rows = this.#resized
      ? this.#frame.reduce((sum, line) => sum + Math.max(1, Math.ceil(textWidth(stripVTControlCharacters(line)) / this.columns)), 0)
      : this.#frame.length;
    const reachable = Math.min(rows + this.#pushed, this.height);
    return reachable === 0 ? '\r' : `\r\x1b[${reachable}A`;
  }
}
