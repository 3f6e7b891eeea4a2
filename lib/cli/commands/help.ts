import type { CommandSpec } from '../arguments/command-spec.js';
import { commandTable } from '../arguments/command-table.js';
import { commandHelp, mainHelp } from '../arguments/help-text.js';
import { parseArguments } from '../arguments/parse-arguments.js';
import type { Command, CommandContext } from '../command.js';
import { exitCode } from '../exit-code.js';
import { ownVersion } from '../own-package.js';
import { defaultColumns } from '../terminal/output-stream.js';

/** `bake help [command]` */
export const help: Command = async (context) => {
  const [name] = context.args.positionals;
  // Reading it as a command line gives the same "did you mean".
  showHelp(name === undefined ? undefined : parseArguments([name, '--help'], commandTable).command, context);
  return exitCode.ok;
};

/** The help of a command, or of all. */
export function showHelp(command: CommandSpec | undefined, { io, outStyle }: CommandContext): void {
  const columns = io.stdout.columns ?? defaultColumns;
  io.stdout.write(command === undefined ? mainHelp(commandTable, ownVersion(), outStyle, columns) : commandHelp(command, outStyle, columns));
}
