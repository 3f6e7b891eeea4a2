import type { Clock } from '../../core/ports.js';

/** Milliseconds without a ring after which it is quiet, as editors write a file in several steps; and after which nobody waits for that any more. */
const [calm, patience] = [100, 1_000];

/** Rung when something may have happened. */
export class Bell {
  #ring: () => void = () => {};
  #rung = this.#next();

  ring(): void {
    this.#ring();
  }

  /** Resolves when it has been rung since the last call, and is quiet again. */
  async quiet(clock: Clock): Promise<void> {
    await this.#rung;
    const end = clock.now() + patience;
    for (let isRung = true; isRung && clock.now() < end;) {
      this.#rung = this.#next();
      isRung = await Promise.race([this.#rung.then(() => true), clock.sleep(calm).then(() => false)]);
    }
  }

  #next(): Promise<void> {
    return new Promise((resolve) => { this.#ring = resolve; });
  }
}
