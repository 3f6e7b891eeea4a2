import { Duration } from '../../core/duration.js';
import { Size } from '../../core/size.js';
import type { Command } from '../command.js';
import { exitCode } from '../exit-code.js';
import { formatPruning } from '../report/prune-text.js';
import { safeJson } from '../terminal/neutralise.js';
import { projectOf } from './app-options.js';
import { readOption } from './read-option.js';

/** `bake prune` */
export const prune: Command = async ({ args, io, outStyle: style, symbols }) => {
  const keepStorage = readOption(args, 'keep-storage', (text) => Size.parse(text).toBytes());
  const olderThan = readOption(args, 'older-than', (text) => Duration.parse(text).toMilliseconds());
  const dryRun = args.flag('dry-run');
  const toolkit = await io.toolkit();
  const report = await io.interrupts.guard((signal) => toolkit.prune({
    project: projectOf(args, io.cwd), dryRun, signal, ...(keepStorage === undefined ? {} : { keepStorage }), ...(olderThan === undefined ? {} : { olderThan }),
  }), {
    onFirst: () => io.stderr.write('stopping; a second Ctrl-C leaves at once\n'),
    lastWords: () => 'left at once; call "bake prune" again for the rest\n',
  });
  io.stdout.write(args.flag('json') ? `${safeJson({ dryRun, ...report }, 2)}\n` : formatPruning(report, dryRun, { style, symbols, now: io.now() }));
  return report.problems.length > 0 ? exitCode.leftovers : exitCode.ok;
};
