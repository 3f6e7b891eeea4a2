import { shellQuote } from '../../../core/quote.js';

const script = 'mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc" && exec chroot "$1" /bin/sh';

/** The command with which people enter a tree that was kept, as its root; the mounts are gone when they leave. */
export function entryCommand(tree: string, isRoot = process.getuid?.() === 0): string {
  const users = isRoot ? [] : ['--map-root-user', '--map-auto'];
  return ['unshare', ...users, '--mount', '--pid', '--fork', 'sh', '-c', script, 'sh', tree].map(shellQuote).join(' ');
}
