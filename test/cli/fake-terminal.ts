/** The part of a terminal (ECMA-48) that we use, and nothing else: an unknown sequence is an error. For narrow characters. */
export class FakeTerminal {
  readonly columns: number;
  lines: string[] = [''];
  row = 0;
  column = 0;
  isCursorShown = true;
  wraps = true;

  constructor(columns: number) {
    this.columns = columns;
  }

  write(text: string): void {
    for (const [token] of text.matchAll(/\p{Cc}\[[?\d;]*[A-Za-z]|[\s\S]/gu)) this.#take(token);
  }

  /** What is seen, without the spaces at the ends. */
  get screen(): string {
    return this.lines.map((line) => line.trimEnd()).join('\n').trimEnd();
  }

  #take(token: string): void {
    if (token === '\n') {
      this.row++;
      this.column = 0;
      if (this.row === this.lines.length) this.lines.push('');
    } else if (token === '\r') {
      this.column = 0;
    } else if (token.startsWith('\x1b')) {
      this.#control(token);
    } else {
      if (this.column === this.columns && this.wraps) this.#take('\n');
      const line = this.lines[this.row]!.padEnd(this.column);
      const column = Math.min(this.column, this.columns - 1);
      this.lines[this.row] = line.slice(0, column) + token + line.slice(column + 1);
      this.column = Math.min(this.columns, this.column + 1);
    }
  }

  #control(sequence: string): void {
    const up = /^\p{Cc}\[(\d+)A$/u.exec(sequence);
    if (up !== null) this.row = Math.max(0, this.row - Number(up[1]));
    else if (sequence === '\x1b[K') this.lines[this.row] = this.lines[this.row]!.slice(0, this.column);
    else if (sequence === '\x1b[J') {
      this.lines = this.lines.slice(0, this.row + 1);
      this.lines[this.row] = this.lines[this.row]!.slice(0, this.column);
    } else if (sequence === '\x1b[?25l' || sequence === '\x1b[?25h') this.isCursorShown = sequence.endsWith('h');
    else if (sequence === '\x1b[?7l' || sequence === '\x1b[?7h') this.wraps = sequence.endsWith('h');
    else if (!/^\p{Cc}\[(\?2026[hl]|[\d;]*m)$/u.test(sequence)) throw new Error(`unknown sequence ${JSON.stringify(sequence)}`);
  }
}
