import type { CommandContext } from '../command.js';
import { LiveScreen } from '../terminal/live-screen.js';
import { JsonHost } from './json-host.js';
import { LiveHost } from './live-host.js';
import { PlainHost } from './plain-host.js';
import { PlainLines } from './plain-lines.js';
import { Prompt } from './prompt.js';
import type { RunHost } from './run-host.js';

/** The display for this command: JSON if asked for, a live tree on a terminal, else lines. Progress goes to standard error. */
export function chooseHost(context: CommandContext, { mayBeLive }: { readonly mayBeLive: boolean }): RunHost {
  const { args, io, errStyle: style, symbols } = context;
  if (args.flag('json')) return new JsonHost(io.stdout);
  const { now, every } = io;
  const lines = new PlainLines({ style, symbols, cwd: io.cwd });
  const isLive = mayBeLive && io.stderr.isTTY === true && io.env['TERM'] !== 'dumb' && (io.env['CI'] ?? '') === '';
  if (!isLive) return new PlainHost({ output: io.stderr, lines, now, every, prompt: makePrompt(context) });
  return new LiveHost({
    screen: new LiveScreen(io.stderr), lines, style, symbols, now, every, typed: io.typed, isVerbose: args.flag('verbose'),
    prompt: (display) => makePrompt(context, display),
  });
}

/** Asks on the terminal; takes the fallback if there is none, or with `--yes`. */
export function makePrompt({ args, io, errStyle }: CommandContext, display: { readonly pause?: () => void; readonly resume?: () => void } = {}): Prompt {
  const isInteractive = io.stdin.isTTY === true && io.stderr.isTTY === true && !args.flag('yes') && !args.flag('json');
  return new Prompt({ stdin: io.stdin, output: io.stderr, style: errStyle, isInteractive, ...display });
}
