import { spawn, type ChildProcess } from 'node:child_process';
import { Readable } from 'node:stream';
import { BakeError } from '../../core/bake-error.js';
import { eachLine } from '../../core/lines.js';
import type { Exec, ExecRequest, ExecResult } from '../../core/ports.js';

/** The variable that every child process of a run carries, so that `bake clean` finds it after a crash. */
export const stampVariable = 'BAKE_RUN_STAMP';

const keptOutput = 64 * 1024;

/** Child processes of this computer, stamped with `stamp`. */
export function systemExec(stamp?: string): Exec {
  // Copied once: reading the environment of the process is slow, and hundreds of commands may start at a time.
  const inherited = { ...process.env, ...(stamp === undefined ? {} : { [stampVariable]: stamp }) };
  return { run: (request) => run(request, inherited) };
}

function run(request: ExecRequest, inherited: NodeJS.ProcessEnv): Promise<ExecResult> {
  request.signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn(request.command, request.args ?? [], {
      ...(request.cwd === undefined ? {} : { cwd: request.cwd }),
      env: { ...inherited, ...request.env },
      stdio: request.terminal ? ['inherit', 2, 2] : [request.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      // In a group of its own it could not read from the terminal.
      detached: process.platform !== 'win32' && !request.terminal,
      windowsHide: true,
    });
    const stdout = new Tail();
    const stderr = new Tail();
    const finished: Promise<void>[] = [];
    if (request.stdout !== undefined) {
      child.stdout?.pipe(request.stdout);
      request.stdout.on('error', () => child.stdout?.resume()); // with output that nobody takes, its end would never come
    } else if (child.stdout !== null) {
      finished.push(eachLine(child.stdout, (line) => { stdout.add(line); request.onStdout?.(line); }));
    }
    if (child.stderr !== null) finished.push(eachLine(child.stderr, (line) => { stderr.add(line); request.onStderr?.(line); }));
    for (const reader of finished) reader.catch(() => {}); // told through `close`, unless the request was aborted
    feed(child, request.stdin);

    const stopKilling = killOnAbort(child, request);
    child.on('error', (error: NodeJS.ErrnoException) => {
      stopKilling();
      reject(startError(request, error));
    });
    child.on('close', (code, signal) => {
      stopKilling();
      if (request.signal?.aborted) reject(request.signal.reason);
      else Promise.all(finished).then(() => resolve({ code, signal, stdout: stdout.text(), stderr: stderr.text() }), reject);
    });
  });
}

function feed(child: ChildProcess, stdin: ExecRequest['stdin']): void {
  if (stdin === undefined || child.stdin === null) return;
  child.stdin.on('error', () => {}); // a command may stop reading; its exit code tells the rest
  if (stdin instanceof Readable) stdin.pipe(child.stdin);
  else child.stdin.end(stdin);
}

/** TERM to the whole group, KILL when it does not listen; returns how to stop watching. */
function killOnAbort(child: ChildProcess, { signal, terminal, killAfter = 1_000 }: ExecRequest): () => void {
  let timer: NodeJS.Timeout | undefined;
  const kill = (name: NodeJS.Signals) => {
    if (child.pid === undefined) return;
    try {
      if (process.platform === 'win32' || terminal) child.kill(name);
      else process.kill(-child.pid, name);
    } catch { /* it is gone already */ }
  };
  const onAbort = () => {
    kill('SIGTERM');
    timer = setTimeout(() => {
      kill('SIGKILL');
      // What left the group may hold the output open for as long as it lives: nobody waits for that.
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, killAfter);
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  return () => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    if (signal?.aborted) kill('SIGKILL');
  };
}

function startError(request: ExecRequest, error: NodeJS.ErrnoException): BakeError {
  if (error.code === 'ENOENT' && request.cwd === undefined) {
    return new BakeError({ code: 'CommandNotFound', message: `the command "${request.command}" is not on this machine`, hint: 'install it, or run "bake doctor" to see what is missing', cause: error });
  }
  return new BakeError({ code: 'CommandNotStarted', source: 'platform', message: `could not start "${request.command}": ${error.message}`, cause: error });
}

/** The last lines of an output, up to a fixed size. */
class Tail {
  readonly #lines: string[] = [];
  #size = 0;

  add(line: string): void {
    this.#lines.push(line);
    this.#size += line.length + 1;
    while (this.#size > keptOutput && this.#lines.length > 1) this.#size -= this.#lines.shift()!.length + 1;
  }
  text(): string {
    return this.#lines.join('\n');
  }
}
