import { Readable } from 'node:stream';
import { BakeError } from '../../../core/bake-error.js';
import type { Communicator, RemoteResult } from '../../../core/communicator.js';
import type { StepContext } from '../../../engine/handler.js';
import { checkExitCode, LastLines } from '../../script-outcome.js';
import type { ShellScriptSpec } from '../steps.js';
import type { ScriptContent } from './script-content.js';
import { stagingCommand, stagingProgram, startedLine } from './staging-program.js';

const defaultStartRetryTimeout = 5 * 60_000;
const shortestRetryDelay = 50;
const longestRetryDelay = 2_000;
/** Exit codes of a shell that a machine's shutdown ended: HUP, KILL, TERM. */
const shutdownCodes = [129, 137, 143];

/** How one try went. `result` is missing if the connection failed before there was one. */
interface Attempt {
  readonly started: boolean;
  readonly result?: RemoteResult;
  readonly failure?: BakeError;
}

/**
 * Runs one script on the machine. A connection that is lost before the script has started is tried again; the machine
 * says when that is, so a script does not run twice unless that very message was lost.
 * @throws BakeError `ScriptFailed`, `ScriptNotStaged`, `ScriptNotStarted`, `ScriptDisconnected`
 */
export async function runRemoteScript(script: ScriptContent, spec: ShellScriptSpec, environment: Readonly<Record<string, string>>, ctx: StepContext): Promise<void> {
  const deadline = ctx.clock.now() + (spec.startRetryTimeout ?? defaultStartRetryTimeout);
  for (let delay = shortestRetryDelay; ; delay = Math.min(delay * 2, longestRetryDelay)) {
    const output = new LastLines();
    const { started, result, failure } = await attempt(script, spec, environment, ctx, output);
    if (started) return judge(script.title, spec, result, output.all);
    if (result?.disconnected === false) throw notStaged(script.title, result, output.all);
    if (ctx.clock.now() + delay > deadline) throw notStarted(script.title, failure);
    if (delay === shortestRetryDelay) ctx.log('the connection was lost before the script started; trying again', 'info');
    await ctx.clock.sleep(delay, ctx.signal);
  }
}

async function attempt(script: ScriptContent, spec: ShellScriptSpec, environment: Readonly<Record<string, string>>, ctx: StepContext, output: LastLines): Promise<Attempt> {
  const mark = `bake-${ctx.ids.hex(8)}`;
  const path = spec.remotePath ?? `${(spec.remoteFolder ?? '/tmp').replace(/\/+$/, '')}/${mark}.sh`;
  // A terminal would change the bytes of the input, so there the input is a file.
  const inputFile = spec.connection['pty'] === true ? `${path}.in` : undefined;
  const program = stagingProgram({
    path, mark, inputFile, environment, size: script.size, head: script.head, executeCommand: spec.executeCommand,
    replace: spec.remotePath !== undefined, keep: spec.skipClean === true,
  });
  let started = false;
  const onLine = (stream: 'stdout' | 'stderr') => (line: string) => {
    if (!started && line === startedLine(mark)) {
      started = true;
      return;
    }
    output.add(line);
    ctx.log(line, stream);
  };
  try {
    const communicator = await ctx.connect(spec.connection);
    const stdin = await deliver(communicator, inputFile, Readable.from(inputOf(program, script), { objectMode: false }), ctx.signal);
    const result = await communicator.exec({
      command: stagingCommand(inputFile), signal: ctx.signal, onStdout: onLine('stdout'), onStderr: onLine('stderr'),
      ...(stdin === undefined ? {} : { stdin }),
    });
    return { started, result };
  } catch (error) {
    ctx.signal.throwIfAborted();
    if (!BakeError.is(error) || !error.transient) throw error;
    return { started, failure: error };
  }
}

async function* inputOf(program: string, script: ScriptContent): AsyncGenerator<Uint8Array> {
  yield Buffer.from(program);
  yield* script.body();
}

/** The input to give to the command; none if it was put into a file. */
async function deliver(communicator: Communicator, inputFile: string | undefined, input: Readable, signal: AbortSignal): Promise<Readable | undefined> {
  if (inputFile === undefined) return input;
  await communicator.upload(input, inputFile, { mode: 0o600, signal });
  return undefined;
}

function judge(title: string, spec: ShellScriptSpec, result: RemoteResult | undefined, output: readonly string[]): void {
  const disconnected = result === undefined || result.disconnected;
  if (spec.expectDisconnect === true && (disconnected || result.code === null || shutdownCodes.includes(result.code))) return;
  if (!disconnected) return checkExitCode({ title, code: result.code, signal: result.signal, output }, spec.validExitCodes);
  throw new BakeError({
    code: 'ScriptDisconnected', source: 'platform', output,
    message: `the connection was lost while ${title} ran`,
    hint: 'if it reboots the machine or restarts its network, set expectDisconnect: true; else see why the machine went away',
  });
}

function notStaged(title: string, { code, signal }: RemoteResult, output: readonly string[]): BakeError {
  return new BakeError({
    code: 'ScriptNotStaged', output,
    message: `${title} could not be put on the machine (${code === null ? `signal ${signal ?? 'KILL'}` : `exit code ${code}`})`,
    hint: 'remoteFolder must exist on the machine, have room, and be writable for the user who logs in; /bin/sh, cat, wc and rm must be there',
  });
}

function notStarted(title: string, cause: BakeError | undefined): BakeError {
  return new BakeError({
    code: 'ScriptNotStarted', source: 'platform', transient: true, cause,
    message: `the connection was lost before ${title} started${cause === undefined ? '' : `: ${cause.message}`}`,
    hint: 'if the machine takes longer to come back, raise startRetryTimeout',
  });
}
