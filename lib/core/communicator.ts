import type { Readable } from 'node:stream';
import type { JsonObject } from './json.js';
import type { Terminal } from './terminal.js';

/**
 * How to reach a machine, as data: it goes into plans and journals, so passwords and keys stand in it
 * as secret references or file paths only. `kind` names the communicator.
 */
export interface Connection extends JsonObject {
  readonly kind: string;
}

export interface RemoteCommand {
  /** A command line for the machine's own shell. Secrets never go here: they go into `stdin`. */
  readonly command: string;
  /** @default - nothing: the command reads end of file */
  readonly stdin?: string | Uint8Array | Readable;
  /** Called for each whole line as it arrives, without its line end. */
  readonly onStdout?: (line: string) => void;
  readonly onStderr?: (line: string) => void;
  /** Kills the command on the machine (with what it started), then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface RemoteResult {
  /** Null if a signal ended it or the connection was lost. */
  readonly code: number | null;
  readonly signal?: string;
  /** True if the connection was lost before the command ended. */
  readonly disconnected: boolean;
}

export interface UploadOptions {
  /** Permission bits of the file. @default - those of the local file; 0o644 for content */
  readonly mode?: number;
  readonly signal?: AbortSignal;
  /** Bytes sent so far. */
  readonly onProgress?: (bytes: number, total?: number) => void;
}

export interface TransferOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (bytes: number, total?: number) => void;
}

/**
 * A way into one machine, open until `close`. All methods may be called at the same time.
 * Paths on the machine are POSIX paths (or the machine's own form) and are never passed through a shell unquoted.
 * @remarks Errors: `ConnectionLost` (transient), `UploadFailed`, `DownloadFailed`, `CommandNotStarted`.
 */
export interface Communicator {
  readonly kind: string;
  exec(command: RemoteCommand): Promise<RemoteResult>;
  /** Lets a person in: gives the terminal to a shell on the machine until that ends. An abort ends it as it does a command. @default - nobody can be let in */
  shell?(terminal: Terminal, signal?: AbortSignal): Promise<RemoteResult>;
  /** Writes one file; parent folders must exist. `source` is a local path, or the content itself. */
  upload(source: string | Uint8Array | Readable, destination: string, options?: UploadOptions): Promise<void>;
  /** Writes what is in the local folder `source` into the folder `destination`, which is made if missing. Modes and symbolic links are kept. */
  uploadDirectory(source: string, destination: string, options?: TransferOptions): Promise<void>;
  /** Writes one file of the machine to a local path. */
  download(source: string, destination: string, options?: TransferOptions): Promise<void>;
  /** Writes what is in the machine's folder `source` into the local folder `destination`, which is made if missing. */
  downloadDirectory(source: string, destination: string, options?: TransferOptions): Promise<void>;
  close(): Promise<void>;
}
