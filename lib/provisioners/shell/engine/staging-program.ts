import { shellQuote } from '../../../core/quote.js';
import { fillTemplate } from '../../command-template.js';
import { interpreterOf } from '../../interpreter.js';

export interface StagingOptions {
  /** Where the script goes; plain characters only, and so are its neighbours `<path>.env` and `<path>.vars`. */
  readonly path: string;
  /** Whether something may be at the path already. */
  readonly replace: boolean;
  /** Bytes of the script. */
  readonly size: number;
  /** The start of the script. */
  readonly head: Uint8Array;
  readonly environment: Readonly<Record<string, string>>;
  readonly executeCommand: string | undefined;
  /** Leaves the files. */
  readonly keep: boolean;
  /** A word that nothing else contains. */
  readonly mark: string;
  /** A file that holds the input, to be removed once it is open. */
  readonly inputFile?: string | undefined;
}

/**
 * The command for a machine's login shell, whichever it is: one quoted word without anything that csh or fish would read
 * in their own way. It reads its program from its input, so nothing of the user's is in an argument list.
 */
export function stagingCommand(inputFile?: string): string {
  const source = inputFile === undefined ? '' : `exec <${inputFile};`;
  return `exec /bin/sh -c '${source}IFS= read -r bake_line;eval "$bake_line"'`;
}

/** What the command prints to say that the files are in place and the script is about to run. */
export function startedLine(mark: string): string {
  return `${mark} started`;
}

/**
 * The first part of the input of `stagingCommand`; the script's bytes follow it, and the end of input follows them.
 *
 * Line one reads the program up to the end mark, by the shell's own `read`, which never takes a byte too many. The
 * program then leaves the rest of the input to `cat`, so any bytes arrive as they are, and looks at how many arrived: a
 * connection that breaks must not leave half a script to run. Only POSIX commands; tried with dash, bash, busybox ash, mksh.
 */
export function stagingProgram(options: StagingOptions): string {
  const { path, mark, keep, inputFile } = options;
  const files = usesVariableFiles(options.executeCommand) ? [path, `${path}.env`, `${path}.vars`] : [path];
  const end = `${mark} end`;
  const program = [
    ...(inputFile === undefined ? [] : [`rm -f ${inputFile}`]),
    ...(options.replace ? [`rm -f ${files.join(' ')}`] : []),
    ...(keep ? [] : [`trap 'rm -f ${files.join(' ')}' EXIT`, "trap 'exit 129' HUP", "trap 'exit 130' INT", "trap 'exit 143' TERM"]),
    `${writeNew(path)} || exit`,
    // The number has blanks before it on some systems, so it is compared as a number.
    `[ "$(wc -c <${path})" -eq ${options.size} ] || { echo 'bake: the script did not arrive whole' >&2; exit 1; }`,
    ...variableFiles(options),
    ...runScript(options),
  ];
  return [
    // A line break to join with: the third character of the separators that every shell starts with.
    `bake_text=;bake_break=\${IFS#??};while IFS= read -r bake_line;do [ "$bake_line" = '${end}' ]&&{ eval "$bake_text";exit;};bake_text=$bake_text$bake_line$bake_break;done;exit 1`,
    ...program,
    end,
    '',
  ].join('\n');
}

/** `set -C`: a link that somebody else put there is not followed. */
function writeNew(path: string): string {
  return `(umask 077; set -C; exec cat >${path})`;
}

function usesVariableFiles(executeCommand: string | undefined): boolean {
  return executeCommand !== undefined && /\{\{\s*\.(Vars|EnvVarFile)\s*\}\}/.test(executeCommand);
}

function exportsOf(environment: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(environment).map(([name, value]) => `export ${name}=${shellQuote(value)}`);
}

function variableFiles({ path, environment, executeCommand, mark }: StagingOptions): readonly string[] {
  if (!usesVariableFiles(executeCommand)) return [];
  return [
    `${writeNew(`${path}.env`)} <<'${mark}' || exit`, ...exportsOf(environment), mark,
    `${writeNew(`${path}.vars`)} <<'${mark}' || exit`, '#!/bin/sh', `. ${path}.env`, 'exec "$@"', mark,
  ];
}

/** In a shell of its own, so that a variable such as PATH has no effect on the cleaning up. */
function runScript({ path, head, environment, executeCommand, mark }: StagingOptions): readonly string[] {
  const interpreter = executeCommand === undefined ? interpreterOf(head) : undefined;
  const start = executeCommand === undefined
    ? `exec ${[...(interpreter ?? []), path].map(shellQuote).join(' ')}`
    : `eval ${shellQuote(fillTemplate(executeCommand, { Path: path, Vars: `${path}.vars`, EnvVarFile: `${path}.env` }))}`;
  return [
    ...(interpreter === undefined ? [`chmod 700 ${path}${usesVariableFiles(executeCommand) ? ` ${path}.vars` : ''} || exit`] : []),
    '(',
    ...(usesVariableFiles(executeCommand) ? [`. ${path}.env`] : exportsOf(environment)),
    `echo '${startedLine(mark)}' >&2`,
    start,
    ') </dev/null',
  ];
}
