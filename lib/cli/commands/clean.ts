import { Duration } from '../../core/duration.js';
import type { Leftover } from '../../core/events.js';
import type { CleanReport } from '../../toolkit/toolkit-api.js';
import type { Command, CommandContext } from '../command.js';
import { exitCode } from '../exit-code.js';
import { chooseHost } from '../hosts/choose-host.js';
import { formatLeftovers } from '../report/run-summary.js';
import { neutraliseLine, safeJson } from '../terminal/neutralise.js';
import { projectOf } from './app-options.js';
import { readOption } from './read-option.js';

/** `bake clean` */
export const clean: Command = async (context) => {
  const { args, io, errStyle, symbols } = context;
  const dryRun = args.flag('dry-run');
  const [id] = args.positionals;
  const olderThan = readOption(args, 'older-than', (text) => Duration.parse(text).toMilliseconds());
  const [platforms, regions] = [args.texts('platform'), args.texts('region')];
  // Each of them says where or what to look for.
  const scan = args.flag('scan') || platforms.length > 0 || regions.length > 0 || olderThan !== undefined;
  const toolkit = await io.toolkit();
  const display = chooseHost(context, { mayBeLive: false });
  try {
    const { removed, left, spared } = await io.interrupts.guard((signal) => toolkit.clean({
      project: projectOf(args, io.cwd), scan, dryRun, host: display, signal, ...(id === undefined ? {} : { run: id }),
      ...(platforms.length === 0 ? {} : { platforms }), ...(regions.length === 0 ? {} : { regions }), ...(olderThan === undefined ? {} : { olderThan }),
    }), {
      onFirst: () => io.stderr.write('stopping; a second Ctrl-C leaves at once\n'),
      lastWords: () => 'left at once; call "bake clean" again for the rest\n',
    });
    if (args.flag('json')) io.stdout.write(`${safeJson({ type: 'clean.finished', dryRun, removed, left, spared })}\n`);
    else io.stdout.write(resultText({ removed, left, spared }, dryRun, context));
    if (!args.flag('json')) io.stderr.write(formatLeftovers(left, 'correct what stands in the way, and run "bake clean" again', { style: errStyle, symbols, cwd: io.cwd }));
    return left.length > 0 ? exitCode.leftovers : exitCode.ok;
  } finally {
    display.close();
  }
};

function resultText({ removed, left, spared }: CleanReport, dryRun: boolean, context: CommandContext): string {
  if (removed.length === 0) return `${left.length === 0 && spared.length === 0 ? 'nothing to clean\n' : ''}${sparedText(spared, context)}`;
  const { outStyle: style, symbols } = context;
  const sign = dryRun ? style.yellow(symbols.pointer) : style.green(symbols.done);
  const lines = removed.map(({ title, step, kind, reason }) => `  ${sign} ${neutraliseLine(title)}  ${style.dim(`${neutraliseLine(kind)} of ${neutraliseLine(step)}, ${neutraliseLine(reason)}`)}\n`);
  return `${dryRun ? 'would be removed:' : 'removed:'}\n${lines.join('')}${sparedText(spared, context)}`;
}

function sparedText(spared: readonly Leftover[], { outStyle: style }: CommandContext): string {
  if (spared.length === 0) return '';
  const lines = spared.map(({ title, kind, reason }) => `  ${neutraliseLine(title)}  ${style.dim(`${neutraliseLine(kind)}: ${neutraliseLine(reason)}`)}\n`);
  return `not touched; --older-than 1h takes what began longer ago for dead:\n${lines.join('')}`;
}
