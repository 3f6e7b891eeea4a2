import { BakeError } from '../../../core/bake-error.js';
import type { StepContext } from '../../../engine/handler.js';

/** Milliseconds before each look; the last one goes on. */
const pauses = [50, 250, 500, 1_000, 2_000] as const;
/** For so long, what was just made may be unknown. */
const settle = 60_000;
/** Milliseconds of looks that fail, one after the other, after which the waiting is given up. */
const longestBlind = 600_000;

interface Waiter<Facts> {
  readonly id: string;
  readonly since: number;
  readonly notBefore: number;
  /** When it was last seen, or waiting for it began. */
  seen: number;
  readonly test: (facts: Facts) => boolean;
  readonly resolve: (facts: Facts) => void;
  readonly reject: (error: unknown) => void;
}

type WatchContext = Pick<StepContext, 'clock' | 'signal'>;

/**
 * Looks at many things of one region at once until each is as somebody waits for: so that a hundred builds ask as often as one.
 */
export class Watch<Facts extends { readonly id: string }> {
  readonly #look: (ids: readonly string[], signal: AbortSignal) => Promise<readonly Facts[]>;
  readonly #waiters = new Set<Waiter<Facts>>();
  #round = 0;
  #isLooking = false;

  constructor(look: (ids: readonly string[], signal: AbortSignal) => Promise<readonly Facts[]>) {
    this.#look = look;
  }

  /**
   * @param test may throw, which ends the waiting
   * @param after milliseconds before it is of interest
   */
  until(id: string, test: (facts: Facts) => boolean, { clock, signal }: WatchContext, after = 0): Promise<Facts> {
    signal.throwIfAborted();
    return new Promise<Facts>((resolve, reject) => {
      const now = clock.now();
      const onAbort = () => end(() => reject(signal.reason as Error));
      const end = (how: () => void) => {
        this.#waiters.delete(waiter);
        signal.removeEventListener('abort', onAbort);
        how();
      };
      const waiter: Waiter<Facts> = { id, since: now, notBefore: now + after, seen: now + after, test, resolve: (facts) => end(() => resolve(facts)), reject: (error) => end(() => reject(error)) };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(waiter);
      this.#round = 0;
      if (!this.#isLooking) void this.#loop(clock);
    });
  }

  async #loop(clock: StepContext['clock']): Promise<void> {
    this.#isLooking = true;
    try {
      while (this.#waiters.size > 0) {
        await clock.sleep(pauses[Math.min(this.#round++, pauses.length - 1)]!);
        const due = [...this.#waiters].filter(({ notBefore }) => notBefore <= clock.now());
        if (due.length > 0) await this.#lookAt(due, clock);
      }
    } finally {
      this.#isLooking = false;
    }
  }

  async #lookAt(due: readonly Waiter<Facts>[], clock: StepContext['clock']): Promise<void> {
    const ids = [...new Set(due.map(({ id }) => id))];
    try {
      const found = new Map((await this.#look(ids, new AbortController().signal)).map((facts) => [facts.id, facts]));
      for (const waiter of due) {
        waiter.seen = clock.now();
        this.#judge(waiter, found.get(waiter.id));
      }
    } catch (error) {
      const isMissing = BakeError.is(error) && error.code === 'Ec2NotFound';
      // One that is not there hides the others.
      if (isMissing && ids.length > 1) return void await Promise.all(ids.map((id) => this.#lookAt(due.filter((waiter) => waiter.id === id), clock)));
      for (const waiter of due) {
        const isPassing = isMissing ? clock.now() - waiter.since < settle : BakeError.is(error) && error.transient && clock.now() - waiter.seen < longestBlind;
        if (!isPassing) waiter.reject(error);
      }
    }
  }

  #judge(waiter: Waiter<Facts>, facts: Facts | undefined): void {
    if (facts === undefined || !this.#waiters.has(waiter)) return;
    try {
      if (waiter.test(facts)) waiter.resolve(facts);
    } catch (error) {
      waiter.reject(error);
    }
  }
}
