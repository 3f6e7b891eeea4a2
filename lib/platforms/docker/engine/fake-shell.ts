import { Readable } from 'node:stream';
import type { ContainerProgram } from '../../../communicators/docker-exec/container-port.js';
import type { FakeFiles } from './fake-files.js';

/** What a fake program may do. */
export interface FakeProcess {
  readonly argv: readonly string[];
  readonly files: FakeFiles;
  readonly stdin: () => Promise<Buffer>;
  readonly out: (text: string | Uint8Array) => void;
  readonly err: (text: string) => void;
  /** Aborted when the process is killed. */
  readonly killed: AbortSignal;
}

/** Runs a program to its exit code. */
export type FakeProgram = (process: FakeProcess) => Promise<number>;

/**
 * The least of a shell: `/bin/sh -c` with commands joined by `;`, each one of `echo <words> [>&2]`, `cat`, `exit <n>`, `true`,
 * `false`, and `hang`, which waits to be killed. It announces its process id where it is asked to.
 */
export const fakeShell: FakeProgram = async (process) => {
  const [program, flag, script = '', , inner] = process.argv;
  if (program !== '/bin/sh' || flag !== '-c') { process.err(`${program}: not found\n`); return 127; }
  const isAnnounced = script.startsWith('echo "$$" >&2; exec ');
  if (isAnnounced) process.err('42\n');
  for (const command of (isAnnounced ? inner ?? '' : script).split(';').map((part) => part.trim())) {
    const [name, ...words] = command.split(/\s+/);
    if (name === 'echo') {
      const toStderr = words.at(-1) === '>&2';
      (toStderr ? process.err : process.out)(`${(toStderr ? words.slice(0, -1) : words).join(' ')}\n`);
    } else if (name === 'cat') process.out(await process.stdin());
    else if (name === 'exit') return Number(words[0]);
    else if (name === 'false') return 1;
    else if (name === 'hang') {
      await new Promise<void>((resolve) => { if (process.killed.aborted) resolve(); else process.killed.addEventListener('abort', () => resolve(), { once: true }); });
      return 143;
    } else if (name !== 'true' && name !== '') { process.err(`sh: ${name}: not found\n`); return 127; }
  }
  return 0;
};

/** Everything that a program is given to read. */
export async function inputOf({ stdin }: ContainerProgram): Promise<Buffer> {
  if (stdin === undefined) return Buffer.alloc(0);
  if (!(stdin instanceof Readable)) return Buffer.from(stdin as Uint8Array);
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}
