import { createToolkitLazily, systemExecLazily } from './lazy-parts.js';
import type { CliIo } from './command.js';
import { exitCode } from './exit-code.js';
import { ProcessInterrupts } from './interrupts.js';
import { main } from './main.js';
import { readTyped } from './terminal/read-typed.js';
import { systemTerminal } from './terminal/system-terminal.js';
import { makeStyle, wantsColor } from './terminal/style.js';
import { symbolsFor } from './terminal/symbols.js';

/** Runs the command line in a process and ends it with the exit code. */
export async function runProcess(process: NodeJS.Process): Promise<void> {
  const { stdout, stderr, stdin, env } = process;
  // Whoever read our output has gone, or the terminal has: there is nobody to tell, and a run still has to clean up.
  for (const stream of [stdout, stderr]) stream.on('error', () => {});
  const cwd = process.cwd();
  const now = () => Date.now();
  const interrupts = new ProcessInterrupts(process, (text) => stderr.write(text), now);
  const io: CliIo = {
    stdout, stderr, stdin, env, cwd, now, interrupts,
    every: (milliseconds, tick) => {
      const timer = setInterval(tick, milliseconds).unref();
      return () => clearInterval(timer);
    },
    typed: (onLines) => readTyped(stdin, process, onLines),
    terminal: () => systemTerminal(process),
    beforeExit: (restore) => {
      process.on('exit', restore);
      return () => process.off('exit', restore);
    },
    toolkit: createToolkitLazily({ cwd, env }),
    exec: systemExecLazily,
  };
  process.on('uncaughtException', (error) => void crash(error, process));
  const code = await main(process.argv.slice(2), io);
  await Promise.all([flushed(stdout), flushed(stderr)]);
  process.exit(code);
}

async function crash(error: unknown, process: NodeJS.Process): Promise<void> {
  const { stderr, env } = process;
  const { unexpectedText } = await import('./report/show-error.js');
  const problem = error instanceof Error ? error : new Error(String(error));
  stderr.write(unexpectedText(problem, makeStyle(wantsColor(undefined, env, stderr)), symbolsFor(env)));
  if (process.argv.includes('--verbose') || (env['BAKE_DEBUG'] ?? '') !== '') stderr.write(`${problem.stack}\n`);
  stderr.write('  "bake clean" removes what a run may have left\n');
  process.exit(exitCode.failed);
}

/** What is still on its way to a slow reader must arrive before the process ends. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) resolve();
    else stream.write('', () => resolve());
  });
}
