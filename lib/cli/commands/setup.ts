import type { PlatformHealth } from '../../toolkit/toolkit-api.js';
import type { Command, CommandContext } from '../command.js';
import { exitCode } from '../exit-code.js';
import { makePrompt } from '../hosts/choose-host.js';
import { commandText, formatHealth } from '../report/health-text.js';
import { safeJson } from '../terminal/neutralise.js';
import { healthOf, isHealthy } from './named-platforms.js';

/** `bake setup` */
export const setup: Command = async (context) => {
  const { args, io, errStyle: style, symbols } = context;
  const toolkit = await io.toolkit();
  const before = await healthOf(args.positionals, toolkit);
  const commands = commandsFor(before, args.flag('optional'));
  if (commands.length > 0) {
    io.stderr.write(`${style.bold('these commands will be run:')}\n${commands.map((command) => `  ${style.green(commandText(command))}\n`).join('')}`);
    if (!(await isAgreed(context))) {
      io.stderr.write('nothing was changed\n');
      return exitCode.declined;
    }
    if (!(await runAll(commands, context))) return exitCode.failed;
  }
  const after = commands.length === 0 ? before : await healthOf(args.positionals, toolkit);
  const healthy = isHealthy(after);
  io.stdout.write(args.flag('json') ? `${safeJson({ healthy, commands, platforms: after }, 2)}\n` : formatHealth(after, context.outStyle, symbols));
  return healthy || args.positionals.length === 0 ? exitCode.ok : exitCode.failed;
};

/** Each command once, in the order in which it is first named. What only some features need is left out unless asked for. */
function commandsFor(platforms: readonly PlatformHealth[], withOptional: boolean): readonly (readonly string[])[] {
  const missing = platforms.flatMap(({ checks }) => checks.filter(({ ok, required }) => !ok && (required || withOptional)).flatMap(({ install }) => install ?? []));
  return [...new Map(missing.map((command) => [JSON.stringify(command), command])).values()];
}

async function isAgreed(context: CommandContext): Promise<boolean> {
  if (context.args.flag('yes')) return true;
  const answer = await makePrompt(context).ask({
    id: 'setup.agree', message: 'run them?', fallback: 'no',
    choices: [{ key: 'yes', label: 'run them all' }, { key: 'no', label: 'change nothing; --yes runs them without asking' }],
  });
  return answer === 'yes';
}

async function runAll(commands: readonly (readonly string[])[], { io, errStyle: style, symbols }: CommandContext): Promise<boolean> {
  const exec = await io.exec();
  return io.interrupts.guard(async (signal) => {
    for (const command of commands) {
      const [program = '', ...rest] = command;
      io.stderr.write(`\n${style.bold(`$ ${commandText(command)}`)}\n`);
      // sudo must be able to ask for the password.
      const { code, signal: killed } = await exec.run({ command: program, args: rest, terminal: true, signal });
      if (code === 0) continue;
      io.stderr.write(style.red(`${symbols.failed} ${commandText(command)} ended with ${code ?? killed}\n`));
      return false;
    }
    io.stderr.write('\n');
    return true;
  }, { onFirst: () => {}, lastWords: () => '' });
}
