import type { Readable } from 'node:stream';

/** Time, so that tests never wait for it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after the time, or rejects with `signal.reason` as soon as it is aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** Random names, so that tests can know them. */
export interface Ids {
  /** A new run id: sortable by time, safe as a file name, a label and a host name. */
  runId(): string;
  /** `bytes` random bytes in lower-case hex. */
  hex(bytes: number): string;
}

export interface ExecRequest {
  readonly command: string;
  readonly args?: readonly string[];
  readonly cwd?: string;
  /** Added to the environment of `bake` itself; `undefined` removes a variable. Never put a secret in `args`: put it here or in `stdin`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** @default - nothing: the command reads end of file */
  readonly stdin?: string | Uint8Array | Readable;
  /** Called for each whole line as it arrives, without its line end. */
  readonly onStdout?: (line: string) => void;
  readonly onStderr?: (line: string) => void;
  /** Takes the raw standard output instead of lines. When it breaks, the rest is dropped; the command goes on. */
  readonly stdout?: NodeJS.WritableStream;
  /** The command has the terminal of `bake`: it may ask there, and what it prints goes to standard error as it is. @default false */
  readonly terminal?: boolean;
  /** Ends the command with its whole process group: TERM, then KILL after `killAfter`. */
  readonly signal?: AbortSignal;
  /** Milliseconds between TERM and KILL. @default 1000 */
  readonly killAfter?: number;
}

export interface ExecResult {
  /** Null if a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  /** The end of what was printed, 64 KiB at most; empty where `stdout` took it. */
  readonly stdout: string;
  readonly stderr: string;
}

/** Child processes. Each one runs in a group of its own and carries the run's stamp in its environment, so that it is found again after a crash. */
export interface Exec {
  /**
   * Runs a command to its end; an exit code other than 0 is a result, not an error.
   * @throws BakeError `CommandNotFound` if there is no such program; the signal's reason if aborted
   */
  run(request: ExecRequest): Promise<ExecResult>;
}
