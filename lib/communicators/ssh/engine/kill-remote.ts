import type ssh2 from 'ssh2';
import type { Clock } from '../../../core/ports.js';
import type { Channels } from './channels.js';

export interface KillOptions {
  readonly channels: Channels;
  readonly channel: ssh2.ClientChannel;
  readonly clock: Clock;
  /** Logs in once more, for a server that allows no second channel. */
  readonly another: (signal: AbortSignal) => Promise<Channels>;
  /** The process id of the command's shell, once it has told it. */
  readonly pid: () => string | undefined;
  readonly pidTold: Promise<void>;
}

/** How long to wait, in milliseconds: for the process id, for the script, and for the channel to close after a signal. */
const patience = { pid: 1_000, script: 5_000, close: 1_000 };

/**
 * Ends a running command with all that it started, and closes its channel. A second channel, or a second connection, does
 * it by process id; where that is not possible the server is asked to signal the command, which not all servers do and
 * which reaches its process group at most.
 */
export async function killRemote(options: KillOptions): Promise<void> {
  const { channel, clock, pidTold } = options;
  const closed = new AbortController();
  channel.once('close', () => closed.abort());
  const wait = (milliseconds: number) => clock.sleep(milliseconds, closed.signal).catch(() => {});

  await Promise.race([pidTold, wait(patience.pid)]);
  const pid = options.pid();
  const isDone = pid !== undefined && /^\d+$/.test(pid) && await killByPid(options, pid);
  if (!isDone) {
    for (const name of ['TERM', 'KILL']) {
      if (closed.signal.aborted) return;
      channel.signal(name);
      await wait(patience.close);
    }
  }
  await wait(patience.close);
  if (!closed.signal.aborted) {
    channel.close();
    await wait(patience.close);
  }
  if (!closed.signal.aborted) channel.emit('close'); // the server does not even confirm the close
}

async function killByPid({ channels, another, clock }: KillOptions, pid: string): Promise<boolean> {
  const over = new AbortController();
  const limit = clock.sleep(patience.script, over.signal).then(() => false, () => false);
  const onceMore = async () => {
    const second = await another(over.signal);
    return runKillScript(second, pid, over.signal).finally(() => second.session.close());
  };
  const run = runKillScript(channels, pid, over.signal).catch(() => (channels.session.isOpen ? onceMore() : false)).catch(() => false);
  const result = await Promise.race([run, limit]);
  over.abort();
  return result;
}

async function runKillScript(channels: Channels, pid: string, signal: AbortSignal): Promise<boolean> {
  const channel = await channels.openAtOnce<ssh2.ClientChannel>((client, done) => client.exec(`exec /bin/sh -s ${pid}`, done), signal);
  return new Promise<boolean>((resolve) => {
    channel.on('close', (code?: number | null) => resolve(code === 0));
    channel.resume();
    channel.stderr.resume();
    channel.end(killScript);
  });
}

/**
 * Ends process $1 with its session, its process group and all its descendants: TERM, and after a second KILL, until none is
 * left. What runs as another user, through sudo, is ended through sudo if that asks for no password. Reads /proc where
 * there is one, and asks ps elsewhere. Exit code 0: all gone.
 */
const killScript = `
root=$1
list() {
  if [ -r /proc/self/stat ]; then
    for file in /proc/[0-9]*/stat; do
      { read -r line < "$file"; } 2>/dev/null || continue
      id=\${line%% *}
      set -- \${line##*) }
      [ "$1" = Z ] || echo "$id $2 $3 $4"
    done
  else
    ps -A -o pid= -o ppid= -o pgid= -o pgid=
  fi
}
find_members() {
  table=$(list)
  alive= grown=1
  while [ $grown = 1 ]; do
    grown=0
    while read -r id parent group session; do
      case " $alive " in *" $id "*) continue;; esac
      case " $alive $known " in *" $parent "*|*" $id "*) ;; *) [ "$group" = "$root" ] || [ "$session" = "$root" ] || [ "$id" = "$root" ] || continue;; esac
      alive="$alive $id" grown=1
    done <<END
$table
END
  done
}
known=
find_members
known=$alive
[ -n "$alive" ] || exit 0
kill -TERM $alive 2>/dev/null
round=0
while [ $round -lt 10 ]; do
  sleep 0.1 2>/dev/null || { sleep 1; round=10; }
  find_members
  [ -n "$alive" ] || exit 0
  known="$known $alive" round=$((round + 1))
done
for round in 1 2 3 4 5; do
  kill -KILL $alive 2>/dev/null
  [ $round = 1 ] || sudo -n kill -KILL $alive 2>/dev/null
  find_members
  [ -n "$alive" ] || exit 0
  sleep 0.1 2>/dev/null || sleep 1
  find_members
  [ -n "$alive" ] || exit 0
  known="$known $alive"
done
exit 1
`;
