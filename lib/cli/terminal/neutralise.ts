import { stripVTControlCharacters } from 'node:util';

const tabStop = 8;
// Controls, marks that are not seen or reorder a line, line and paragraph separators; not the line end, nor what joins emoji and letters.
const forbidden = /(?![\n\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * A foreign text that can do nothing to a terminal: escape sequences are dropped, tabs become spaces, every other
 * control character becomes `�`. Line ends stay; who prints it decides what they mean.
 */
export function neutralise(text: string): string {
  if (/^[\n\x20-\x7e]*$/.test(text)) return text;
  const stripped = stripVTControlCharacters(text);
  const expanded = stripped.includes('\t') ? stripped.split('\n').map(expandTabs).join('\n') : stripped;
  return expanded.replace(forbidden, '�');
}

/** The same on one line. */
export function neutraliseLine(text: string): string {
  return neutralise(text).replace(/\s*\n\s*/g, ' ').trimEnd();
}

/** Every text in a value. */
export function neutraliseAll<T>(value: T): T {
  if (typeof value === 'string') return neutralise(value) as T;
  if (Array.isArray(value)) return value.map(neutraliseAll) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [neutralise(key), neutraliseAll(member)])) as T;
}

/** JSON on one line in which no raw control character is left, so that looking at it is harmless too. */
export function safeJson(value: unknown, indent?: number): string {
  const escaped = (char: string) => Array.from({ length: char.length }, (_, index) => `\\u${char.charCodeAt(index).toString(16).padStart(4, '0')}`).join('');
  return JSON.stringify(value, undefined, indent).replace(forbidden, escaped);
}

function expandTabs(line: string): string {
  let out = '';
  for (const [index, part] of line.split('\t').entries()) out += index === 0 ? part : ' '.repeat(tabStop - (out.length % tabStop)) + part;
  return out;
}
