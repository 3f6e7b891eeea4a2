import { Joint } from './joint.js';

interface Entry {
  /** Tokens of the steps that use it, or are about to. */
  readonly users: Set<string>;
  id?: string;
  /** The way out, while there is one; gives whether it is gone. */
  removal?: Promise<boolean>;
}

/**
 * Who uses the groups that the builds of a process have together. Whoever is about to use one counts from then on, so that
 * nobody removes it in the meantime, and one that is on its way out is kept if somebody comes for it.
 */
export class SharedGroups {
  readonly #entries = new Map<string, Entry>();
  readonly #making = new Joint<string>();

  /** @param key of the group, in one region of one account */
  async use(key: string, token: string, signal: AbortSignal, make: (signal: AbortSignal) => Promise<string>): Promise<string> {
    const entry = this.#entries.get(key) ?? { users: new Set() };
    this.#entries.set(key, entry);
    entry.users.add(token);
    try {
      await entry.removal;
      signal.throwIfAborted();
      return entry.id ??= await this.#making.join(key, signal, make);
    } catch (error) {
      entry.users.delete(token);
      throw error;
    }
  }

  /** @param remove gives false if it stopped because `isWanted` was true */
  async leave(key: string, token: string, remove: (isWanted: () => boolean) => Promise<boolean>): Promise<void> {
    const entry = this.#entries.get(key) ?? { users: new Set() };
    this.#entries.set(key, entry);
    entry.users.delete(token);
    if (entry.users.size > 0) return;
    entry.removal ??= remove(() => entry.users.size > 0).then((isGone) => {
      if (isGone) delete entry.id;
      return isGone;
    }).finally(() => { delete entry.removal; });
    await entry.removal;
  }
}
