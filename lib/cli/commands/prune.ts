import { Duration } from '../../core/duration.js';
import { Size } from '../../core/size.js';
import { BakeError } from '../../core/bake-error.js';
import type { Toolkit } from '../../toolkit/toolkit-api.js';
import type { Command, CommandContext } from '../command.js';
import { exitCode } from '../exit-code.js';
import { formatPruning } from '../report/prune-text.js';
import { neutraliseLine, safeJson } from '../terminal/neutralise.js';
import { projectOf } from './app-options.js';
import { readOption } from './read-option.js';

/** `bake prune` */
export const prune: Command = async (context) => {
  const { args, io, outStyle: style, symbols } = context;
  const keepStorage = readOption(args, 'keep-storage', (text) => Size.parse(text).toBytes());
  const olderThan = readOption(args, 'older-than', (text) => Duration.parse(text).toMilliseconds());
  const dryRun = args.flag('dry-run');
  const toolkit = await io.toolkit();
  if (args.texts('platform').length > 0) return pruneImages(context, toolkit, olderThan);
  const report = await io.interrupts.guard((signal) => toolkit.prune({
    project: projectOf(args, io.cwd), dryRun, signal, ...(keepStorage === undefined ? {} : { keepStorage }), ...(olderThan === undefined ? {} : { olderThan }),
  }), {
    onFirst: () => io.stderr.write('stopping; a second Ctrl-C leaves at once\n'),
    lastWords: () => 'left at once; call "bake prune" again for the rest\n',
  });
  io.stdout.write(args.flag('json') ? `${safeJson({ dryRun, ...report }, 2)}\n` : formatPruning(report, dryRun, { style, symbols, now: io.now() }));
  return report.problems.length > 0 ? exitCode.leftovers : exitCode.ok;
};

/** How many images of each build stay, if nothing is said. */
const keptImages = 3;

async function pruneImages({ args, io, outStyle: style, symbols }: CommandContext, toolkit: Toolkit, olderThan = Duration.days(30).toMilliseconds()): Promise<number> {
  if (args.text('keep-storage') !== undefined) throw new BakeError({ code: 'InvalidOption', message: '--keep-storage is for the store of checkpoints, and --platform for images of a platform', hint: 'call it once for each' });
  const dryRun = args.flag('dry-run');
  const regions = args.texts('region');
  const outcomes = await io.interrupts.guard((signal) => toolkit.pruneImages({
    project: projectOf(args, io.cwd), platforms: args.texts('platform'), ...(regions.length === 0 ? {} : { regions }), signal, dryRun, olderThan,
    keep: args.count('keep') ?? keptImages, now: args.flag('now'), grace: readOption(args, 'grace', (text) => Duration.parse(text).toMilliseconds()) ?? Duration.days(7).toMilliseconds(),
  }), { onFirst: () => io.stderr.write('stopping; a second Ctrl-C leaves at once\n'), lastWords: () => 'left at once\n' });
  if (args.flag('json')) io.stdout.write(`${safeJson({ dryRun, images: outcomes }, 2)}\n`);
  else if (outcomes.length === 0) io.stdout.write('no image is old enough\n');
  else for (const { title, build, action, reason } of outcomes) io.stdout.write(`${action === 'kept' ? ' ' : dryRun ? style.yellow(symbols.pointer) : style.green(symbols.done)} ${dryRun && action !== 'kept' ? 'would be ' : ''}${action}: ${neutraliseLine(title)}  ${style.dim(`${neutraliseLine(build)}, ${neutraliseLine(reason)}`)}\n`);
  return exitCode.ok;
}
