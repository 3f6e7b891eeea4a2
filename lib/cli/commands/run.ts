import { relative } from 'node:path';
import { BakeError } from '../../core/bake-error.js';
import { shellQuote } from '../../core/quote.js';
import type { BakeEvent, IoHost } from '../../core/events.js';
import type { ForecastOptions, RunOptions, RunReport, Toolkit } from '../../toolkit/toolkit-api.js';
import type { Arguments } from '../arguments/arguments.js';
import type { Command, CommandContext } from '../command.js';
import type { Interrupts } from '../interrupts.js';
import { exitCode } from '../exit-code.js';
import { chooseHost } from '../hosts/choose-host.js';
import type { RunHost } from '../hosts/run-host.js';
import { formatForecast } from '../report/forecast-text.js';
import { formatLeftovers, formatOutcome, formatResults, formatResumable } from '../report/run-summary.js';
import { showFindings } from '../report/show-findings.js';
import { neutraliseLine } from '../terminal/neutralise.js';
import { appOptions } from './app-options.js';

type OnError = 'cleanup' | 'keep' | 'ask';

/** What the command line must know of a run that is going on. */
interface Started {
  run?: string;
  log?: string;
}

/** `bake run` */
export const run: Command = async (context) => {
  const { args, io } = context;
  const toolkit = await io.toolkit();
  if (args.flag('dry-run')) return io.interrupts.guard((signal) => foretell(context, toolkit, signal), { onFirst: () => {}, lastWords: () => '' });
  return build(context, toolkit, (work, notes) => io.interrupts.guard(work, notes));
};

/** Builds what the arguments say, shows how, and gives the exit code. */
export async function build(context: CommandContext, toolkit: Pick<Toolkit, 'run'>, guard: Interrupts['guard']): Promise<number> {
  const { args, io } = context;
  const onError = (args.text('on-error') ?? 'cleanup') as OnError;
  const parallel = args.count('parallel');
  const checkpoints = args.text('checkpoints') as RunOptions['checkpoints'];
  const display = chooseHost(context, { mayBeLive: true });
  const forget = io.beforeExit(() => display.close());
  const started: Started = {};
  const startedAt = io.now();
  let report: RunReport;
  try {
    report = await guard((signal) => toolkit.run({
      ...chosen(args), ...pinChoice(args), onError, signal, host: watching(display, started), ...(parallel === undefined ? {} : { parallel }), ...(checkpoints === undefined ? {} : { checkpoints }),
    }), {
      // Once it has started, the engine says so itself.
      onFirst: () => { if (started.run === undefined) display.notify({ type: 'run.cancelling', run: '', reason: 'interrupted', at: io.now() }); },
      lastWords: () => {
        display.close();
        return lastWords(started, context);
      },
    });
  } finally {
    display.close();
    forget();
  }
  showReport(report, started, io.now() - startedAt, context);
  return exitCodeFor(report, onError);
}

function pinChoice(args: Arguments): Pick<RunOptions, 'frozen' | 'update'> {
  const globs = args.texts('update');
  return { frozen: args.flag('frozen'), ...(args.flag('update') ? { update: globs.length === 0 ? true : globs } : {}) };
}

/** What to build, and what of earlier runs to use. */
function chosen(args: Arguments): Omit<ForecastOptions, 'signal'> {
  const globs = args.texts('no-cache');
  return {
    ...appOptions(args), ...selection(args), only: args.texts('only'), except: args.texts('except'), force: args.flag('force'),
    ...(args.flag('no-cache') ? { noCache: globs.length === 0 ? true : globs } : {}),
  };
}

/** What `--resume` builds is what its run did, so there is nothing more to select; the run may be given as an argument. @throws BakeError `InvalidOption` */
function selection(args: Arguments): Pick<ForecastOptions, 'selectors' | 'resume'> {
  if (!args.flag('resume')) return { selectors: args.positionals };
  const [run, ...more] = [...args.texts('resume'), ...args.positionals];
  if (more.length > 0 || args.flag('only') || args.flag('except')) throw new BakeError({ code: 'InvalidOption', message: '--resume builds what its run was to build, and nothing else can be selected', hint: 'give --resume and the run alone, or leave --resume out: bake run goes on from the checkpoints as well' });
  return { selectors: [], resume: run ?? true };
}

/** Shows what building what the arguments say would do. */
export async function foretell({ args, io, outStyle, symbols }: CommandContext, toolkit: Pick<Toolkit, 'forecast'>, signal: AbortSignal): Promise<number> {
  const builds = await toolkit.forecast({ ...chosen(args), signal });
  io.stdout.write(args.flag('json') ? `${JSON.stringify({ builds }, undefined, 2)}\n` : formatForecast(builds, { style: outStyle, symbols }));
  return exitCode.ok;
}

function watching(display: RunHost, started: Started): IoHost {
  return {
    notify: (event: BakeEvent) => {
      if (event.type === 'run.started') Object.assign(started, { run: event.run, log: event.log });
      display.notify(event);
    },
    ask: (question, signal) => display.ask(question, signal),
  };
}

function showReport(report: RunReport, { log }: Started, milliseconds: number, context: CommandContext): void {
  const { args, io, errStyle, outStyle, symbols } = context;
  const errLook = { style: errStyle, symbols, cwd: io.cwd };
  if (!args.flag('json')) io.stdout.write(formatResults(report.builds, { ...errLook, style: outStyle }));
  const failures = report.builds.flatMap((build) => (build.status === 'failed' && build.error !== undefined ? [build.error] : []));
  if (failures.length > 0) io.stderr.write('\n');
  showFindings(failures, context);
  if (report.leftovers.length > 0) io.stderr.write(`\n${formatLeftovers(report.leftovers, cleanCommand(report.run, context), errLook)}`);
  if (args.flag('json')) return;
  if (report.status !== 'succeeded' && log !== undefined) io.stderr.write(errStyle.dim(`\nlog: ${neutraliseLine(relative(io.cwd, log))}\n`));
  io.stderr.write(`${report.status === 'succeeded' ? '' : '\n'}${formatOutcome(report, milliseconds, errLook)}`);
  io.stderr.write(formatResumable(report.builds, args.positionals.length + args.texts('only').length + args.texts('except').length === 0 && !args.flag('resume') ? 'bake run' : `bake run --resume ${report.run}`, errLook));
}

function exitCodeFor({ status, leftovers }: RunReport, onError: OnError): number {
  if (status === 'cancelled') return exitCode.interrupted;
  // What was kept because the user said so is no surprise.
  if (leftovers.length > 0 && onError === 'cleanup') return exitCode.leftovers;
  if (status === 'failed') return exitCode.failed;
  return leftovers.length > 0 ? exitCode.leftovers : exitCode.ok;
}

function lastWords({ run: id }: Started, context: CommandContext): string {
  if (id === undefined) return 'left at once\n';
  return `left at once; what the run made is still there, and this removes it:\n  ${cleanCommand(id, context)}\n`;
}

function cleanCommand(id: string, { args }: CommandContext): string {
  const app = args.text('app');
  return ['bake', 'clean', neutraliseLine(id), ...(app === undefined ? [] : ['--app', neutraliseLine(app)])].map(shellQuote).join(' ');
}
