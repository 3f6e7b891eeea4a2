import type ssh2 from 'ssh2';

/** Bytes. */
const enough = 1024 * 1024;
/** Milliseconds to open a channel and to start a command in it, which is two round trips and more. */
const near = 16;

/** The inside of the library that is needed here; a real test holds it to this. */
interface Outgoing {
  readonly outgoing?: { window?: unknown };
}

/**
 * Has less under way than OpenSSH allows. What a command does not take at once, OpenSSH keeps in one piece of memory, which
 * it copies to a new one with each packet until that has the size of its window, 2 MiB: so the first upload over a connection
 * stands still for 0.2 s, and with half of the window it does not. That half makes 100 MB/s where a round trip takes less than
 * 10 ms; further away all of it is needed. Other servers may not tell that they took something before more than half of the
 * window has come, and are left alone. `opening` is how long it took to start the command, in milliseconds.
 */
export function narrowWindow(channel: ssh2.ClientChannel, client: ssh2.Client, opening: number): void {
  const { outgoing } = channel as Outgoing;
  const { _remoteVer: server } = client as { readonly _remoteVer?: unknown };
  if (opening > near || typeof server !== 'string' || !server.startsWith('OpenSSH_')) return;
  if (typeof outgoing?.window === 'number') outgoing.window = Math.min(outgoing.window, enough);
}
