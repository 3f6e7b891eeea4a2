import { shellQuote } from '../../core/quote.js';
import type { BakeEvent, IoHost } from '../../core/events.js';
import type { ShellOptions, ShellReport } from '../../toolkit/toolkit-api.js';
import type { Command, CommandContext } from '../command.js';
import { exitCode } from '../exit-code.js';
import { chooseHost } from '../hosts/choose-host.js';
import { formatLeftovers } from '../report/run-summary.js';
import { showFindings } from '../report/show-findings.js';
import { neutraliseLine } from '../terminal/neutralise.js';
import { appOptions } from './app-options.js';

/** What is told of the run around a session; `--verbose` tells all. */
const told: ReadonlySet<BakeEvent['type']> = new Set(['step.warned', 'step.retried', 'machine.lost', 'step.failed', 'release.failed']);

/** `bake shell` */
export const shell: Command = async (context) => {
  const { args, io, errStyle } = context;
  const [target, build] = args.positionals;
  const terminal = io.terminal();
  const toolkit = await io.toolkit();
  const display = chooseHost(context, { mayBeLive: false });
  const host: IoHost = { notify: (event) => { if (args.flag('verbose') || told.has(event.type)) display.notify(event); }, ask: (question, signal) => display.ask(question, signal) };
  let isInside = false;
  const session: ShellOptions['session'] = terminal !== undefined ? { terminal } : {
    commands: io.stdin as NodeJS.ReadStream, onStdout: (line) => io.stdout.write(`${line}\n`), onStderr: (line) => io.stderr.write(`${line}\n`),
  };
  try {
    const report = await io.interrupts.guard((signal) => toolkit.shell({
      ...appOptions(args), target: target!, ...(build === undefined ? {} : { build }), session, host, signal,
      onEnter: (place) => {
        isInside = terminal !== undefined;
        if (isInside) io.stderr.write(errStyle.dim(`${neutraliseLine(place)}; "exit" leaves it\n`));
      },
    }), {
      isForOthers: () => isInside,
      onFirst: () => io.stderr.write('leaving and removing what was made; a second Ctrl-C leaves at once\n'),
      lastWords: () => 'left at once; "bake clean" removes what may still be there\n',
    });
    return showReport(report, context);
  } finally {
    display.close();
  }
};

function showReport({ run, status, code, error, leftovers }: ShellReport, context: CommandContext): number {
  const { io, errStyle: style, symbols } = context;
  if (error !== undefined) showFindings([error], context);
  else if (status === 'succeeded' && code === null) io.stderr.write('the connection was lost\n');
  io.stderr.write(formatLeftovers(leftovers, ['bake', 'clean', run].map(shellQuote).join(' '), { style, symbols, cwd: io.cwd }));
  if (status === 'cancelled') return exitCode.interrupted;
  return status === 'failed' || code === null ? exitCode.failed : code;
}
