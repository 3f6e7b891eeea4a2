import type { Command } from '../command.js';
import { exitCode } from '../exit-code.js';
import { formatHealth } from '../report/health-text.js';
import { neutraliseLine, safeJson } from '../terminal/neutralise.js';
import { appOptions } from './app-options.js';
import { healthOf, isHealthy } from './named-platforms.js';

/** `bake doctor` */
export const doctor: Command = async ({ args, io, outStyle, errStyle, symbols }) => {
  const names = [...args.positionals, ...args.texts('platform')];
  if (args.flag('policy')) {
    const policies = await (await io.toolkit()).policies({ ...appOptions(args), ...(names.length === 0 ? {} : { platforms: names }) });
    for (const { policy, roles } of policies) {
      io.stdout.write(`${safeJson(args.flag('json') ? { policies } : policy, 2)}\n`);
      for (const role of roles) io.stderr.write(`${symbols.arrow} this is what ${neutraliseLine(role)} must be allowed; who takes it on needs sts:AssumeRole on it\n`);
      if (args.flag('json')) break;
    }
    return exitCode.ok;
  }
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
