import type ssh2 from 'ssh2';
import type { Clock } from '../../../core/ports.js';
import type { Channels } from './channels.js';

export interface KillOptions {
  readonly channels: Channels;
  readonly channel: ssh2.ClientChannel;
  readonly clock: Clock;
  /** The process id of the command's shell, once it has told it. */
  readonly pid: () => string | undefined;
  readonly pidTold: Promise<void>;
}

/** How long to wait, in milliseconds: for the process id, for the script, and for the channel to close after a signal. */
const patience = { pid: 1_000, script: 4_000, close: 1_000 };

/**
 * Ends a running command with all that it started, and closes its channel. A second channel does it by process id; where
 * that is not possible the server is asked to signal the command, which reaches its process group (OpenSSH from 7.9) or
 * only its shell (others).
 */
export async function killRemote({ channels, channel, clock, pid, pidTold }: KillOptions): Promise<void> {
  const closed = new AbortController();
  channel.once('close', () => closed.abort());
  const wait = (milliseconds: number) => clock.sleep(milliseconds, closed.signal).catch(() => {});

  await Promise.race([pidTold, wait(patience.pid)]);
  const id = pid();
  const isDone = id !== undefined && /^\d+$/.test(id) && await runKillScript(channels, id, clock);
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

async function runKillScript(channels: Channels, pid: string, clock: Clock): Promise<boolean> {
  const over = new AbortController();
  const limit = clock.sleep(patience.script, over.signal).then(() => false, () => false);
  const run = async () => {
    const channel = await channels.openAtOnce<ssh2.ClientChannel>((client, done) => client.exec(`exec /bin/sh -s ${pid}`, done), over.signal);
    return new Promise<boolean>((resolve) => {
      let code: number | null | undefined;
      channel.on('exit', (status: number | null) => { code = status; });
      channel.on('close', () => resolve(code === 0));
      channel.resume();
      channel.stderr.resume();
      channel.end(killScript);
    });
  };
  const result = await Promise.race([run().catch(() => false), limit]);
  over.abort();
  return result;
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
