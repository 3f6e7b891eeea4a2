import { BakeError } from '../../core/bake-error.js';
import type { CliIo, CommandContext } from '../command.js';
import { neutralise, neutraliseLine, safeJson } from '../terminal/neutralise.js';
import type { Style } from '../terminal/style.js';
import type { Symbols } from '../terminal/symbols.js';
import { sourceReader } from './code-frame.js';
import { findingsOf, formatFindings } from './finding-text.js';
import { showFindings } from './show-findings.js';

/** Shows what ended a command: the user's mistakes with their lines, our own in one line. */
export function showError(thrown: unknown, context: CommandContext): void {
  const { args, io, errStyle: style, symbols } = context;
  const error = BakeError.from(thrown);
  const { code, message } = error;
  if (args.flag('json')) writeJson(error, io);
  if (code === 'Interrupted') {
    io.stderr.write(style.yellow(`${symbols.warned} ${neutraliseLine(message)}\n`));
    return;
  }
  const isOurs = code === 'Unexpected';
  if (isOurs) io.stderr.write(unexpectedText(error, style, symbols));
  else showFindings(findingsOf(error), context);
  if (args.flag('verbose') || (io.env['BAKE_DEBUG'] ?? '') !== '') io.stderr.write(`\n${style.dim(stackOf(thrown))}\n`);
  else if (isOurs) io.stderr.write(style.dim('  --verbose shows where it comes from\n'));
}

/** Shows what is wrong with a command line that could not be read. */
export function showUsageError(error: BakeError, io: CliIo, { errStyle, symbols, isJson }: { readonly errStyle: Style; readonly symbols: Symbols; readonly isJson: boolean }): void {
  if (isJson) writeJson(error, io);
  io.stderr.write(formatFindings([error], { roots: { project: io.cwd, cwd: io.cwd, read: sourceReader() }, style: errStyle, symbols }));
}

function writeJson({ code, message, source, construct, location, hint, output, diagnostics }: BakeError, { stdout }: CliIo): void {
  stdout.write(`${safeJson({ type: 'failed', error: { code, message, source, construct, location, hint, output }, diagnostics })}\n`);
}

/** The one line of an error that nobody foresaw, and what to do with it. */
export function unexpectedText(error: Error, style: Style, symbols: Symbols): string {
  return `${style.red(`${symbols.failed} ${style.bold('unexpected error:')}`)} ${neutraliseLine(error.message)}\n  ${style.green(`${symbols.arrow} this is a mistake of bake: please report it, with the command and its output under --verbose`)}\n`;
}

function stackOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return neutralise(String(thrown));
  const cause = thrown.cause === undefined ? '' : `\ncaused by ${stackOf(thrown.cause)}`;
  return `${neutralise(thrown.stack ?? thrown.message)}${cause}`;
}
