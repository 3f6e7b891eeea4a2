import type { Duplex } from 'node:stream';
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
 * What forwards ports for a guest may accept a connection that leads nowhere yet and never will: once the guest listens, only
 * a new attempt gets through. A slow guest on the other hand takes its time to say hello. So a new attempt starts soon, and
 * the ones before it are left to wait; both times grow with the time that has passed, as shares of it.
 */
const spacing = { least: 300, share: 1 / 40 };
const patience = { least: 2_000, share: 1 / 4, most: 15_000 };

/**
 * Gets into a machine that may not be up yet, with attempts that are cut short while nothing answers.
 * @throws BakeError `CommunicatorTimeout`, and what is final at once: see `logIn`
 */
export async function waitForSsh(options: WaitOptions): Promise<{ readonly client: ssh2.Client; readonly stream: LoginOptions['stream'] }> {
  const { clock, signal, login, trust } = options;
  const name = knownHostName(login.host, login.port ?? 22);
  const started = clock.now();
  const left = () => started + options.timeout - clock.now();
  const passed = () => clock.now() - started;
  let attempts = 0;
  let refused = 0;
  let last = 'nothing was tried';
  const failed = (error: Error) => {
    if (last === 'nothing was tried') options.log(`waiting for ssh on ${name}: ${error.message}`);
    last = error.message;
  };

  while (left() > 0) {
    signal.throwIfAborted();
    const begun = clock.now();
    try {
      const stream = await firstAnswer({ ...options, left, passed, silent: failed, begun: () => { attempts++; } });
      const client = await logIn({ ...options, stream, limit: Math.max(1, Math.min(options.handshakeTimeout, left())) });
      return { client, stream };
    } catch (error) {
      signal.throwIfAborted();
      if (BakeError.is(error) && error.code === 'HostKeyMismatch' && trust.canAskAgain) continue;
      if (BakeError.is(error) && error.code === 'AuthenticationFailed' && ++refused < options.handshakeAttempts) last = error.message;
      else if (!(error instanceof NotReady)) throw error;
      else failed(error);
    }
    const pause = Math.max(breath, begun + period - clock.now());
    if (left() <= pause) break;
    await clock.sleep(pause, signal);
  }
  throw new BakeError({
    code: 'CommunicatorTimeout', source: 'platform',
    message: `could not get into ${name} over ssh within ${formatMilliseconds(options.timeout)}: ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}, the last one ended with: ${last}`,
    hint: 'check the address, the firewall and that the ssh server runs; if the machine only needs longer, raise timeout',
  });
}

interface Answering extends Pick<WaitOptions, 'dial' | 'clock' | 'signal'> {
  readonly left: () => number;
  readonly passed: () => number;
  readonly begun: () => void;
  readonly silent: (error: NoAnswer) => void;
}

/** Starts attempts one after the other until one is answered, in whatever way: with a banner, or with a refusal. */
function firstAnswer({ dial, clock, signal: outer, left, passed, begun, silent }: Answering): Promise<Duplex> {
  const over = new AbortController();
  const signal = AbortSignal.any([outer, over.signal]);
  const answer = new Promise<Duplex>((resolve, reject) => {
    let latest = new NoAnswer('nobody answered');
    const attempt = (limit: number) => dial({ clock, signal, connectLimit: limit, bannerLimit: limit }).then(
      (stream) => { if (over.signal.aborted) stream.destroy(); else resolve(stream); },
      (error: unknown) => {
        if (!(error instanceof NoAnswer)) return reject(error as Error);
        silent(latest = error);
      },
    );
    const attempts = async (): Promise<never> => {
      for (;;) {
        begun();
        const next = Math.max(spacing.least, passed() * spacing.share);
        const limit = Math.min(patience.most, Math.max(patience.least, passed() * patience.share));
        const waiting = attempt(Math.max(1, Math.min(limit, left())));
        if (left() <= next) {
          await waiting;
          throw latest;
        }
        await clock.sleep(next, signal);
      }
    };
    attempts().catch(reject);
  });
  return answer.finally(() => over.abort());
}
