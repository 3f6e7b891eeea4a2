import type { Toolkit } from '../../toolkit/toolkit-api.js';
import type { Command, CommandContext } from '../command.js';
import { exitCode } from '../exit-code.js';
import { showError } from '../report/show-error.js';
import { neutraliseLine } from '../terminal/neutralise.js';
import { appOptions } from './app-options.js';
import { build, foretell } from './run.js';

/** How many changed files are named. */
const named = 3;

/** `bake watch` */
export const watch: Command = async (context) => {
  const { args, io, errStyle } = context;
  const { app, outDir } = appOptions(args);
  const toolkit = await io.toolkit();
  const say = (text: string) => io.stderr.write(`${errStyle.dim(text)}\n`);
  await io.interrupts.guard((signal) => toolkit.watch({
    app, signal, ...(outDir === undefined ? {} : { outDir }),
    round: (fresh, aborted) => oneRound(context, fresh, aborted),
    onChange: (paths) => say(`\n${paths.slice(0, named).map(neutraliseLine).join(', ')}${paths.length > named ? ` and ${paths.length - named} more` : ''} changed`),
    onWait: (count) => say(`watching ${count} files and folders; Ctrl-C ends it`),
  }), {
    onFirst: () => {},
    lastWords: () => 'left at once; "bake clean" removes what may still be there\n',
  });
  return exitCode.ok;
};

async function oneRound(context: CommandContext, toolkit: Pick<Toolkit, 'forecast' | 'run'>, signal: AbortSignal): Promise<void> {
  try {
    await foretell(context, toolkit, signal);
    if (context.args.flag('run') && !signal.aborted) await build(context, toolkit, (work) => work(signal));
  } catch (error) {
    if (!signal.aborted) showError(error, context);
  }
}
