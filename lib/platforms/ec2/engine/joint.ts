import { unlessAborted } from '../../../core/unless-aborted.js';

interface Going<T> {
  readonly result: Promise<T>;
  readonly over: AbortController;
  waiting: number;
}

/**
 * Does a piece of work once for all who want the same at the same time. Whoever is aborted leaves the others to wait; when
 * nobody waits any more the work is aborted too.
 */
export class Joint<T> {
  readonly #going = new Map<string, Going<T>>();

  /** @param key says what is wanted */
  async join(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const going = this.#going.get(key) ?? this.#begin(key, work);
    going.waiting++;
    try {
      return await unlessAborted(going.result, signal);
    } finally {
      if (--going.waiting === 0) this.#end(key, going);
    }
  }

  #begin(key: string, work: (signal: AbortSignal) => Promise<T>): Going<T> {
    const over = new AbortController();
    const going: Going<T> = { over, waiting: 0, result: work(over.signal) };
    this.#going.set(key, going);
    going.result.then(() => this.#forget(key, going), () => this.#forget(key, going));
    return going;
  }

  #end(key: string, going: Going<T>): void {
    going.over.abort(new Error('nobody waits for it any more'));
    this.#forget(key, going);
  }

  #forget(key: string, going: Going<T>): void {
    if (this.#going.get(key) === going) this.#going.delete(key);
  }
}
