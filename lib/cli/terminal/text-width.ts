import truncatedWidth from 'fast-string-truncated-width';

const characters = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const isAscii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);

/** Columns that a text takes in a terminal. */
export function textWidth(text: string): number {
  return isAscii(text) ? text.length : truncatedWidth(text).width;
}

/** The text, cut to at most `columns` columns, never inside a character; what is cut ends in `…`. For text without escape sequences. */
export function truncate(text: string, columns: number): string {
  if (columns <= 0) return '';
  if (textWidth(text) <= columns) return text;
  if (isAscii(text)) return `${text.slice(0, columns - 1)}…`;
  let kept = '';
  let width = 0;
  for (const { segment } of characters.segment(text)) {
    width += textWidth(segment);
    if (width >= columns) break;
    kept += segment;
  }
  return `${kept}…`;
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
