/** What runs inline lines when nothing else is said: stops at the first command that fails. */
export const defaultInlineShebang = '/bin/sh -e';

/** The lines as one script, with `#!` and the shebang on top unless the first line brings its own. */
export function inlineScript(lines: readonly string[], shebang = defaultInlineShebang): string {
  const text = `${lines.join('\n')}\n`;
  return text.startsWith('#!') ? text : `#!${shebang}\n${text}`;
}
