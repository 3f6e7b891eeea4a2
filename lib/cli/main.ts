import { BakeError } from '../core/bake-error.js';
import type { Arguments } from './arguments/arguments.js';
import { commandTable } from './arguments/command-table.js';
import { parseArguments } from './arguments/parse-arguments.js';
import type { CliIo, CommandContext } from './command.js';
import { exitCode, exitCodeOf } from './exit-code.js';
import { makeStyle, wantsColor } from './terminal/style.js';
import { symbolsFor } from './terminal/symbols.js';

/** The whole command line: from arguments to an exit code. Never throws. */
export async function main(argv: readonly string[], io: CliIo): Promise<number> {
  const asked = argv.includes('--no-color') ? false : argv.includes('--color') ? true : undefined;
  const looks = (color: boolean | undefined) => ({
    outStyle: makeStyle(wantsColor(color, io.env, io.stdout)), errStyle: makeStyle(wantsColor(color, io.env, io.stderr)), symbols: symbolsFor(io.env),
  });
  let args: Arguments;
  try {
    args = parseArguments(argv, commandTable);
  } catch (error) {
    const { showUsageError } = await import('./report/show-error.js');
    showUsageError(BakeError.from(error), io, { ...looks(asked), isJson: argv.includes('--json') });
    return exitCode.usage;
  }
  const context: CommandContext = { args, io, ...looks(args.color) };
  try {
    return await dispatch(context);
  } catch (error) {
    const { showError } = await import('./report/show-error.js');
    showError(error, context);
    return exitCodeOf(error);
  }
}

async function dispatch(context: CommandContext): Promise<number> {
  const { args, io } = context;
  if (args.flag('version')) {
    const { ownVersion } = await import('./own-package.js');
    io.stdout.write(`${ownVersion()}\n`);
    return exitCode.ok;
  }
  if (args.command !== undefined && !args.flag('help')) return (await args.command.load())(context);
  const { showHelp } = await import('./commands/help.js');
  showHelp(args.command, context);
  return exitCode.ok;
}
