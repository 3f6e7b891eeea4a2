import type { Command } from '../command.js';
import { exitCode } from '../exit-code.js';
import { formatOutputs, type OutputFormat } from '../report/outputs-text.js';
import { neutralise } from '../terminal/neutralise.js';
import { projectOf } from './app-options.js';

/** `bake outputs` */
export const outputs: Command = async ({ args, io }) => {
  const toolkit = await io.toolkit();
  const found = await toolkit.outputs({ project: projectOf(args, io.cwd), selectors: args.positionals });
  const text = formatOutputs(found, args.flag('json') ? 'json' : (args.text('format') as OutputFormat | undefined) ?? 'json');
  // For a program each byte counts; a terminal must not do what a name says.
  io.stdout.write(io.stdout.isTTY === true ? neutralise(text) : text);
  return exitCode.ok;
};
