import { shellQuote } from '../../../core/quote.js';

// Without job control: the shell could not hand the terminal back to whoever started it outside of its namespace, and would fail at its end.
const script = 'mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc" && exec chroot "$1" /bin/sh +m';

/** The command with which people enter a tree that was kept, as its root; the mounts are gone when they leave. */
export function entryCommand(tree: string, isRoot = process.getuid?.() === 0): string {
  const users = isRoot ? [] : ['--map-root-user', '--map-auto'];
  return ['unshare', ...users, '--mount', '--pid', '--fork', 'sh', '-c', script, 'sh', tree].map(shellQuote).join(' ');
}
