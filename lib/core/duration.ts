import { BakeError } from './bake-error.js';

const unitMilliseconds = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A length of time. Made with a unit, read with a unit, so that no number is ever guessed at. */
export class Duration {
  static milliseconds(amount: number): Duration {
    return new Duration(amount);
  }
  static seconds(amount: number): Duration {
    return new Duration(amount * unitMilliseconds.s);
  }
  static minutes(amount: number): Duration {
    return new Duration(amount * unitMilliseconds.m);
  }
  static hours(amount: number): Duration {
    return new Duration(amount * unitMilliseconds.h);
  }
  static days(amount: number): Duration {
    return new Duration(amount * unitMilliseconds.d);
  }

  /**
   * Reads `300ms`, `1.5s`, `1m20s`, `2h`.
   * @throws BakeError `InvalidDuration` for any other text
   */
  static parse(text: string): Duration {
    const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
    if (parts.length === 0 || parts.map((part) => part[0]).join('') !== text) {
      throw new BakeError({
        code: 'InvalidDuration',
        message: `"${text}" is not a duration`,
        hint: 'write a number and a unit (ms, s, m, h, d), such as 30s or 1m20s',
      });
    }
    const total = parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * unitMilliseconds[unit as 'ms'], 0);
    return new Duration(total);
  }

  readonly #milliseconds: number;

  private constructor(milliseconds: number) {
    if (!Number.isFinite(milliseconds) || milliseconds < 0) {
      throw new BakeError({ code: 'InvalidDuration', message: `a duration cannot be ${milliseconds} ms`, hint: 'give a number that is 0 or more' });
    }
    this.#milliseconds = milliseconds;
  }

  toMilliseconds(): number {
    return this.#milliseconds;
  }
  toSeconds(): number {
    return this.#milliseconds / unitMilliseconds.s;
  }
  toString(): string {
    return formatMilliseconds(this.#milliseconds);
  }
  /** In a plan a duration is a number of milliseconds. */
  toJSON(): number {
    return this.#milliseconds;
  }
}

/** `850ms`, `2.3s`, `1m20s`, `2h5m`: for people. */
export function formatMilliseconds(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)}ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1_000).toFixed(1).replace(/\.0$/, '')}s`;
  const minutes = Math.floor(milliseconds / 60_000);
  const seconds = Math.round((milliseconds % 60_000) / 1_000);
  if (minutes < 60) return seconds === 0 ? `${minutes}m` : `${minutes}m${seconds}s`;
  return minutes % 60 === 0 ? `${minutes / 60}h` : `${Math.floor(minutes / 60)}h${minutes % 60}m`;
}
