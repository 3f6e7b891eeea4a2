import truncatedWidth from 'fast-string-truncated-width';

/** Columns that a text takes in a terminal. */
export function textWidth(text: string): number {
  return /^[\x20-\x7e]*$/.test(text) ? text.length : truncatedWidth(text).width;
}

/** The text, cut to at most `columns` columns; what is cut ends in `…`. For text without escape sequences. */
export function truncate(text: string, columns: number): string {
  if (columns <= 0) return '';
  const { truncated, index } = truncatedWidth(text, { limit: columns, ellipsis: '…', ellipsisWidth: 1 });
  return truncated ? `${text.slice(0, index).replace(/[\ud800-\udbff]$/, '')}…` : text;
}

/** The text with spaces behind it up to a width. */
export function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - textWidth(text)));
}

/** Breaks a text between words into lines of at most `columns` columns. A longer word has a line to itself. */
export function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && textWidth(line) + 1 + textWidth(word) > columns) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
