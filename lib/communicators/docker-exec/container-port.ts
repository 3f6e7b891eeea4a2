import type { Readable } from 'node:stream';
import type { Terminal } from '../../core/terminal.js';

/** A program to start in a container. */
export interface ContainerProgram {
  /** Program and arguments; no shell in between. */
  readonly argv: readonly string[];
  /** `name`, `uid`, `name:group`. @default - the container's own user */
  readonly user?: string;
  readonly workdir?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A pseudo terminal: all output comes on standard output. */
  readonly tty?: boolean;
  /** Whose size the pseudo terminal has and keeps. @default - that of the engine's choice */
  readonly terminal?: Pick<Terminal, 'size' | 'onResize'>;
  /** Written to its standard input, which is then closed. @default - it reads end of file at once */
  readonly stdin?: string | Uint8Array | Readable;
  readonly onStdout?: (chunk: Uint8Array) => void;
  readonly onStderr?: (chunk: Uint8Array) => void;
  /** Lets go of the program, which goes on running, and rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface ContainerPath {
  readonly type: 'file' | 'directory' | 'symlink' | 'other';
  /** Bytes. */
  readonly size: number;
  /** Where a symbolic link leads to, as an absolute path inside the container. */
  readonly linkTarget?: string;
}

/**
 * What the docker-exec communicator needs of one running container. A container engine's adapter supplies it, so that the
 * communicator knows no SDK.
 * @remarks Errors: `ConnectionLost` if the engine or the container is gone, `CommandNotStarted`, and those named below.
 */
export interface ContainerPort {
  /** Runs a program to its end: its exit code. */
  run(program: ContainerProgram): Promise<number>;
  /** Whether the container is running. */
  isRunning(): Promise<boolean>;
  /** Unpacks a tar stream into a folder that exists; owners and modes as in the tar. @throws BakeError `UploadFailed` */
  putArchive(folder: string, tar: Readable, signal?: AbortSignal): Promise<void>;
  /** A path as a tar stream, its last component as the first entry. @throws BakeError `DownloadFailed` */
  getArchive(path: string, signal?: AbortSignal): Promise<Readable>;
  /** What stands at a path, links not followed; undefined if there is nothing. */
  stat(path: string, signal?: AbortSignal): Promise<ContainerPath | undefined>;
}
