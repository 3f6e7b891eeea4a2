import { textWidth, truncate } from './text-width.js';

/** A piece of a line: plain text, and how it is to look. */
export type Segment = string | readonly [text: string, paint: (text: string) => string];

/** One line of at most `columns` columns: pieces that do not fit are cut before they are painted. */
export function styledLine(segments: readonly Segment[], columns: number): string {
  let line = '';
  let left = columns;
  for (const segment of segments) {
    const [raw, paint] = typeof segment === 'string' ? [segment, undefined] as const : segment;
    const text = raw.replaceAll('\n', ' ');
    if (text === '') continue;
    if (left <= 0) break;
    const fitting = truncate(text, left);
    line += paint === undefined ? fitting : paint(fitting);
    left -= textWidth(fitting);
    if (fitting !== text) break;
  }
  return line;
}
