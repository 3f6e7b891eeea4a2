import { relative } from 'node:path';
import type { Command } from '../command.js';
import { exitCode } from '../exit-code.js';
import { formatPlans } from '../report/plan-text.js';
import { showFindings } from '../report/show-findings.js';
import { neutraliseLine, safeJson } from '../terminal/neutralise.js';
import { appOptions } from './app-options.js';

/** `bake synth` */
export const synth: Command = async (context) => {
  const { args, io } = context;
  const options = appOptions(args);
  const toolkit = await io.toolkit();
  if (args.flag('check')) {
    const diagnostics = await toolkit.check(options);
    if (diagnostics.some(({ severity }) => severity === 'error')) {
      if (args.flag('json')) io.stdout.write(`${safeJson({ diagnostics }, 2)}\n`);
      else showFindings(diagnostics, context);
      return exitCode.usage;
    }
  }
  const { plans, diagnostics, outDir, project, forecast } = await toolkit.synth(args.flag('quiet') ? options : { ...options, foresee: true });
  if (args.flag('json')) {
    io.stdout.write(`${safeJson({ plans, diagnostics, outDir, ...(forecast === undefined ? {} : { forecast }) }, 2)}\n`);
    return exitCode.ok;
  }
  showFindings(diagnostics, context);
  if (args.flag('quiet')) return exitCode.ok;
  io.stdout.write(formatPlans(plans, { style: context.outStyle, roots: { project, cwd: io.cwd }, ...(forecast === undefined ? {} : { forecast: forecast.builds }) }));
  const all = plans.reduce((sum, plan) => sum + plan.builds.length, 0);
  for (const { builds, reason } of forecast?.unknown ?? []) {
    const which = builds.length === all ? '' : ` of ${builds.map(neutraliseLine).join(', ')}`;
    io.stderr.write(context.errStyle.dim(`what is cached${which} cannot be told: ${neutraliseLine(reason)}\n`));
  }
  io.stderr.write(context.errStyle.dim(`written to ${neutraliseLine(relative(io.cwd, outDir) || '.')}\n`));
  return exitCode.ok;
};
