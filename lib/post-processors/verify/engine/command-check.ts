import { readFile } from 'node:fs/promises';
import type { Connection } from '../../../core/communicator.js';
import type { StepContext } from '../../../engine/handler.js';
import type { CheckSpec } from '../steps.js';
import { mismatch } from './expected-text.js';
import type { Finding } from './verify-handler.js';

type CommandSpec = Extract<CheckSpec, { readonly type: 'command' | 'script' }>;

/** So much of an output is compared and shown; characters. */
const outputLimit = 1024 * 1024;
const shownLines = 15;

/** The script comes through the input, so that it may be of any length and is in no list of processes. */
const runScript = 'umask 077; file=$(mktemp) || exit 125; cat > "$file"; chmod 700 "$file"; "$file" < /dev/null; code=$?; rm -f "$file"; exit "$code"';

export async function tryCommand(check: CommandSpec, connection: Connection, ctx: StepContext): Promise<Finding | undefined> {
  const machine = await ctx.connect(connection);
  const stdout = new Text();
  const stderr = new Text();
  const { code, signal, disconnected } = await machine.exec({
    ...(check.type === 'command' ? { command: check.command } : { command: runScript, stdin: await readFile(check.script.path) }),
    onStdout: (line) => stdout.add(line), onStderr: (line) => stderr.add(line), signal: ctx.signal,
  });
  const output = [...stdout.lastLines(), ...stderr.lastLines()];
  const wrong = (message: string): Finding => ({ message, output });
  if (code === null) return wrong(disconnected ? 'the connection was lost' : `it was ended by ${signal ?? 'a signal'}`);
  if (!check.exitCodes.includes(code)) return wrong(`it ended with ${code}, not ${check.exitCodes.join(' or ')}`);
  const mistake = mismatch('output', stdout.text, check.stdout) ?? mismatch('error output', stderr.text, check.stderr);
  return mistake === undefined ? undefined : wrong(mistake);
}

/** Lines as one text, its beginning only if it is long. */
class Text {
  text = '';

  add(line: string): void {
    if (this.text.length < outputLimit) this.text += `${line}\n`;
  }
  lastLines(): readonly string[] {
    return this.text.split('\n').filter((line) => line !== '').slice(-shownLines);
  }
}
