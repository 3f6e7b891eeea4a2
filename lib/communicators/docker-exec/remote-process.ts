import type { Clock } from '../../core/ports.js';
import type { ContainerPort } from './container-port.js';

/** Milliseconds between TERM and KILL. */
const patience = 1_000;

/**
 * Runs a command line so that its process id is known at once: it comes as the first line of standard error. The process
 * is then replaced by the command's own shell, so the id stays right, and it leads a session of its own.
 */
export function announced(command: string): readonly string[] {
  return ['/bin/sh', '-c', 'echo "$$" >&2; exec /bin/sh -c "$1"', 'bake', command];
}

/** Takes the announcement off the front of standard error. */
export class PidReader {
  readonly pid: Promise<number | undefined>;
  readonly #onRest: (chunk: Uint8Array) => void;
  #resolve: (pid: number | undefined) => void = () => {};
  #head: Buffer | undefined = Buffer.alloc(0);

  constructor(onRest: (chunk: Uint8Array) => void) {
    this.#onRest = onRest;
    this.pid = new Promise((resolve) => { this.#resolve = resolve; });
  }

  write(chunk: Uint8Array): void {
    if (this.#head === undefined) return this.#onRest(chunk);
    this.#head = Buffer.concat([this.#head, chunk]);
    const end = this.#head.indexOf('\n');
    if (end < 0 && this.#head.length < 32) return;
    const line = this.#head.subarray(0, Math.max(end, 0)).toString().trim();
    const isPid = /^\d+$/.test(line);
    const rest = isPid ? this.#head.subarray(end + 1) : this.#head;
    this.#head = undefined;
    this.#resolve(isPid ? Number(line) : undefined);
    if (rest.length > 0) this.#onRest(rest);
  }
  /** To be called when the command has ended. */
  end(): void {
    if (this.#head !== undefined && this.#head.length > 0) this.#onRest(this.#head);
    this.#head = undefined;
    this.#resolve(undefined);
  }
}

/**
 * Signals a session and all descendants of its leader, and prints the process ids it found. Only the shell's own
 * commands: the machine may have nothing else. Fields of `/proc/<pid>/stat` after the name in parentheses: state,
 * parent, process group, session.
 */
const signalTree = `
signal=$1; shift
found=" $* "
again=yes
while [ "$again" ]; do
  again=
  for stat in /proc/[0-9]*/stat; do
    { read -r line < "$stat"; } 2>/dev/null || continue
    pid=\${line%% *}
    case $found in *" $pid "*) continue;; esac
    set -- \${line##*) }
    case $found in *" $2 "*|*" $4 "*) [ "$pid" = $$ ] || { found="$found$pid "; again=yes; };; esac
  done
done
echo $found
kill -$signal $found 2>/dev/null
exit 0`;

/**
 * Ends a command in a container with what it started: TERM, then KILL for what is left after a second. There is no call
 * of the engine for it, so a second program in the container does it. What has made itself a daemon (its parent gone and
 * its session its own) is not found and goes with the container.
 */
export async function killRemote(port: ContainerPort, pid: number, options: { readonly ended: Promise<unknown>; readonly clock: Clock; readonly user: string | undefined }): Promise<void> {
  // Root may signal every user's processes; without that right in the container, the command's own user may.
  const users = options.user === undefined || /^(root|0)(:|$)/.test(options.user) ? ['0'] : ['0', options.user];
  const signal = async (name: 'TERM' | 'KILL', pids: readonly string[]): Promise<readonly string[]> => {
    const printed = await Promise.all(users.map((user) => output(port, ['/bin/sh', '-c', signalTree, 'sh', name, ...pids], user)));
    return [...new Set(printed.join(' ').split(/\s+/).filter((word) => /^\d+$/.test(word)))];
  };
  const pids = await signal('TERM', [String(pid)]);
  const stop = new AbortController();
  const waited = options.clock.sleep(patience, stop.signal).then(() => {}, () => {});
  await Promise.race([options.ended.catch(() => {}), waited]);
  stop.abort();
  await signal('KILL', pids);
}

async function output(port: ContainerPort, argv: readonly string[], user: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  await port.run({ argv, user, onStdout: (chunk) => { chunks.push(chunk); } });
  return Buffer.concat(chunks).toString();
}
