import type { Leftover } from '../../core/events.js';
import type { Command, CommandContext } from '../command.js';
import { exitCode } from '../exit-code.js';
import { chooseHost } from '../hosts/choose-host.js';
import { formatLeftovers } from '../report/run-summary.js';
import { neutraliseLine, safeJson } from '../terminal/neutralise.js';
import { projectOf } from './app-options.js';

/** `bake clean` */
export const clean: Command = async (context) => {
  const { args, io, errStyle, symbols } = context;
  const dryRun = args.flag('dry-run');
  const [id] = args.positionals;
  const toolkit = await io.toolkit();
  const display = chooseHost(context, { mayBeLive: false });
  try {
    const { removed, left } = await io.interrupts.guard((signal) => toolkit.clean({
      project: projectOf(args, io.cwd), scan: args.flag('scan'), dryRun, host: display, signal, ...(id === undefined ? {} : { run: id }),
    }), {
      onFirst: () => io.stderr.write('stopping; a second Ctrl-C leaves at once\n'),
      lastWords: () => 'left at once; call "bake clean" again for the rest\n',
    });
    if (args.flag('json')) io.stdout.write(`${safeJson({ type: 'clean.finished', dryRun, removed, left })}\n`);
    else io.stdout.write(resultText(removed, left, dryRun, context));
    if (!args.flag('json')) io.stderr.write(formatLeftovers(left, 'correct what stands in the way, and run "bake clean" again', { style: errStyle, symbols, cwd: io.cwd }));
    return left.length > 0 ? exitCode.leftovers : exitCode.ok;
  } finally {
    display.close();
  }
};

function resultText(removed: readonly Leftover[], left: readonly Leftover[], dryRun: boolean, { outStyle: style, symbols }: CommandContext): string {
  if (removed.length === 0) return left.length === 0 ? 'nothing to clean\n' : '';
  const sign = dryRun ? style.yellow(symbols.pointer) : style.green(symbols.done);
  const lines = removed.map(({ title, step, kind, reason }) => `  ${sign} ${neutraliseLine(title)}  ${style.dim(`${neutraliseLine(kind)} of ${neutraliseLine(step)}, ${neutraliseLine(reason)}`)}\n`);
  return `${dryRun ? 'would be removed:' : 'removed:'}\n${lines.join('')}`;
}
