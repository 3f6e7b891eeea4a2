import type { Command } from '../command.js';
import { exitCode } from '../exit-code.js';
import { formatHealth } from '../report/health-text.js';
import { safeJson } from '../terminal/neutralise.js';
import { healthOf, isHealthy } from './named-platforms.js';

/** `bake doctor` */
export const doctor: Command = async ({ args, io, outStyle, errStyle, symbols }) => {
  const names = args.positionals;
  const platforms = await healthOf(names, await io.toolkit());
  const healthy = isHealthy(platforms);
  if (args.flag('json')) {
    io.stdout.write(`${safeJson({ healthy, platforms }, 2)}\n`);
  } else {
    io.stdout.write(formatHealth(platforms, outStyle, symbols));
    const isCurable = platforms.some(({ checks }) => checks.some(({ ok, install }) => !ok && install !== undefined && install.length > 0));
    if (isCurable) io.stderr.write(errStyle.green(`\n${symbols.arrow} ${['bake setup', ...names].join(' ')} runs these commands\n`));
  }
  // Nobody needs every platform: only those that were asked for can fail.
  return names.length === 0 || healthy ? exitCode.ok : exitCode.failed;
};
