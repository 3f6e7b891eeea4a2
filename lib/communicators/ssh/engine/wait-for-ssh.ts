import type ssh2 from 'ssh2';
import { BakeError } from '../../../core/bake-error.js';
import { formatMilliseconds } from '../../../core/duration.js';
import type { Clock } from '../../../core/ports.js';
import type { Dial } from './dial.js';
import { knownHostName } from './known-hosts.js';
import { logIn, type LoginOptions } from './login.js';
import { NotReady } from './not-ready.js';

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

/** A busy guest is not helped by being dialled more often. */
const pause = 250;
const firstBannerLimit = 500;
const longestBannerLimit = 8_000;

/**
 * Gets into a machine that may not be up yet: one attempt at a time, each cut short while nothing answers.
 * @throws BakeError `CommunicatorTimeout`, and what is final at once: see `logIn`
 */
export async function waitForSsh(options: WaitOptions): Promise<{ readonly client: ssh2.Client; readonly stream: LoginOptions['stream'] }> {
  const { clock, signal, login, trust } = options;
  const name = knownHostName(login.host, login.port ?? 22);
  const started = clock.now();
  const left = () => started + options.timeout - clock.now();
  let bannerLimit = firstBannerLimit;
  let attempts = 0;
  let refused = 0;
  let last = 'nothing was tried';

  while (left() > 0) {
    signal.throwIfAborted();
    attempts++;
    const dialled = clock.now();
    try {
      const stream = await options.dial({ clock, signal, limit: Math.min(bannerLimit, left()) });
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
    }
    if (clock.now() - dialled >= bannerLimit) bannerLimit = Math.min(bannerLimit * 1.5, longestBannerLimit);
    if (left() > pause) await clock.sleep(pause, signal);
    else break;
  }
  throw new BakeError({
    code: 'CommunicatorTimeout', source: 'platform',
    message: `could not get into ${name} over ssh within ${formatMilliseconds(options.timeout)}: ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}, the last one ended with: ${last}`,
    hint: 'check the address, the firewall and that the ssh server runs; if the machine only needs longer, raise timeout',
  });
}
