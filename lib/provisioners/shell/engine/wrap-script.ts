import { shellQuote } from '../../../core/quote.js';

export interface WrapOptions {
  readonly script: Uint8Array;
  /** Where the script is put on the machine. */
  readonly path: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Not to be part of `{{.Vars}}`. */
  readonly secretNames: ReadonlySet<string>;
  readonly executeCommand: string;
  readonly skipClean: boolean;
  /** A random word: ends the here-documents, and marks the start of the script in the output. */
  readonly mark: string;
}

/**
 * The text that `/bin/sh -s` reads on the machine: it writes the script to a file that only its user can read, sets the
 * environment, runs the script without any standard input, and removes it. So one channel does all, and nothing secret
 * stands in an argument list. Works in dash, bash and busybox.
 */
export function wrapScript({ script, path, environment, secretNames, executeCommand, skipClean, mark }: WrapOptions): string {
  const environmentFile = `${path}.env`;
  const exports = Object.entries(environment).map(([name, value]) => `export ${name}=${shellQuote(value)}\n`).join('');
  const needsFile = executeCommand.includes('{{.EnvVarFile}}');
  const command = executeCommand
    .replaceAll('{{.Path}}', () => shellQuote(path))
    .replaceAll('{{.EnvVarFile}}', () => shellQuote(environmentFile))
    .replaceAll('{{.Vars}}', () => pairs(environment, secretNames));
  return [
    'bake_mask=$(umask)', 'umask 077',
    ...(skipClean ? [] : [`trap 'rm -f ${[path, environmentFile].map((file) => shellQuote(file).replaceAll("'", `'\\''`)).join(' ')}' EXIT`, "trap 'exit 129' HUP", "trap 'exit 143' TERM"]),
    writeFile(path, script, mark),
    ...(needsFile ? [writeFile(environmentFile, Buffer.from(exports), mark)] : []),
    `chmod 0755 ${shellQuote(path)} || exit 126`,
    'umask "$bake_mask"', 'unset bake_mask',
    `echo ${mark} >&2`,
    exports.trimEnd(),
    '{', command, '} </dev/null', '',
  ].join('\n');
}

/** A here-document takes any text but a NUL and adds a line end: what it would change goes as base64. */
function writeFile(path: string, content: Uint8Array, mark: string): string {
  const text = Buffer.from(content).toString('utf8');
  const isText = !content.includes(0) && Buffer.from(text).equals(Buffer.from(content)) && (text === '' || text.endsWith('\n'));
  const body = isText ? text : `${Buffer.from(content).toString('base64').replace(/.{1,76}/g, '$&\n')}`;
  return `${isText ? 'cat' : 'base64 -d'} > ${shellQuote(path)} <<'${mark}' || exit 126\n${body}${mark}`;
}

/** In double quotes, so that they mean the same inside the single quotes of `sh -c '…'`. */
function pairs(environment: Readonly<Record<string, string>>, secretNames: ReadonlySet<string>): string {
  return Object.entries(environment).filter(([name]) => !secretNames.has(name)).map(([name, value]) => `${name}="${value.replace(/["\\$`]/g, '\\$&')}"`).join(' ');
}
