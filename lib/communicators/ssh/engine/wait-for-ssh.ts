import type ssh2 from 'ssh2';
import { BakeError } from '../../../core/bake-error.js';
import { formatMilliseconds } from '../../../core/duration.js';
import type { Clock } from '../../../core/ports.js';
import type { Dial } from './dial.js';
import { knownHostName } from './known-hosts.js';
import { logIn, type LoginOptions } from './login.js';
import { NoAnswer, NotReady } from './not-ready.js';

export interface WaitOptions extends Omit<LoginOptions, 'stream' | 'limit'> {
  readonly dial: Dial;
  readonly clock: Clock;
  /** Milliseconds for everything. */
  readonly timeout: number;
  readonly handshakeTimeout: number;
  /** Refused logins until it is final. */
  readonly handshakeAttempts: number;
  readonly log: (line: string) => void;
}

/** From the start of one attempt to the start of the next one; milliseconds, as all here. */
const period = 250;
/** The other side sees one attempt end before the next one begins. */
const breath = 20;

/**
 * How long an attempt waits for an answer. What forwards ports for a guest may accept a connection that leads nowhere yet
 * and never will: then every moment of patience is lost once the guest listens. A slow guest on the other hand takes its
 * time to say hello, and is slowed down further by each attempt that is given up. So patience is short, grows while nothing
 * answers, but takes no more than a tenth of the time that passed so far; with the first attempt there is nothing to lose.
 */
const patience = { first: 1_000, banner: 300, connect: 500, longest: 8_000, growth: 1.5 };

/**
 * Gets into a machine that may not be up yet: one attempt at a time, each cut short while nothing answers.
 * @throws BakeError `CommunicatorTimeout`, and what is final at once: see `logIn`
 */
export async function waitForSsh(options: WaitOptions): Promise<{ readonly client: ssh2.Client; readonly stream: LoginOptions['stream'] }> {
  const { clock, signal, login, trust } = options;
  const name = knownHostName(login.host, login.port ?? 22);
  const started = clock.now();
  const left = () => started + options.timeout - clock.now();
  let grown = patience.banner;
  let attempts = 0;
  let refused = 0;
  let last = 'nothing was tried';

  while (left() > 0) {
    signal.throwIfAborted();
    attempts++;
    const dialled = clock.now();
    const wanted = attempts === 1 ? patience.first : Math.max(patience.banner, Math.min(grown, (dialled - started) / 10));
    const bannerLimit = Math.min(wanted, left());
    try {
      const stream = await options.dial({ clock, signal, bannerLimit, connectLimit: Math.min(Math.max(wanted, patience.connect), left()) });
      const client = await logIn({ ...options, stream, limit: Math.max(1, Math.min(options.handshakeTimeout, left())) });
      return { client, stream };
    } catch (error) {
      signal.throwIfAborted();
      if (BakeError.is(error) && error.code === 'HostKeyMismatch' && trust.canAskAgain) continue;
      if (BakeError.is(error) && error.code === 'AuthenticationFailed' && ++refused < options.handshakeAttempts) last = error.message;
      else if (!(error instanceof NotReady)) throw error;
      else {
        if (attempts === 1) options.log(`waiting for ssh on ${name}: ${error.message}`);
        last = error.message;
      }
      grown = error instanceof NoAnswer ? Math.min(grown * patience.growth, patience.longest) : patience.banner;
    }
    const pause = Math.max(breath, dialled + period - clock.now());
    if (left() <= pause) break;
    await clock.sleep(pause, signal);
  }
  throw new BakeError({
    code: 'CommunicatorTimeout', source: 'platform',
    message: `could not get into ${name} over ssh within ${formatMilliseconds(options.timeout)}: ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}, the last one ended with: ${last}`,
    hint: 'check the address, the firewall and that the ssh server runs; if the machine only needs longer, raise timeout',
  });
}
