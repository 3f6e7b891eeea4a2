import { formatBytes } from '../../core/size.js';

/** How far something is, and how fast it goes. */
export interface Progress {
  readonly label: string;
  readonly current: number;
  readonly total?: number | undefined;
  readonly unit: 'bytes' | 'items';
  /** Per second; undefined until it is known. */
  readonly rate?: number | undefined;
}

/** 0 to 1; undefined if the total is not known. */
export function fractionOf({ current, total }: Progress): number | undefined {
  return total === undefined || total <= 0 ? undefined : Math.min(1, Math.max(0, current / total));
}

/** `45%  34 MiB of 75 MiB, 12 MiB/s`. */
export function formatProgress(progress: Progress): string {
  const { current, total, unit, rate } = progress;
  const amount = (value: number) => (unit === 'bytes' ? formatBytes(Math.max(0, value)) : String(Math.round(value)));
  const fraction = fractionOf(progress);
  const percent = fraction === undefined ? '' : `${Math.floor(fraction * 100)}%  `;
  const whole = total === undefined ? amount(current) : `${amount(current)} of ${amount(total)}`;
  return `${percent}${whole}${rate === undefined ? '' : `, ${amount(rate)}/s`}`;
}

/** `━━━━━━────` */
export function progressBar(fraction: number, width: number, { full, empty }: { readonly full: string; readonly empty: string }): readonly [full: string, empty: string] {
  const filled = Math.round(fraction * width);
  return [full.repeat(filled), empty.repeat(width - filled)];
}

const window = 3_000;
const shortest = 500;

/** Measures a rate over the last few seconds. */
export class RateMeter {
  readonly #samples: { readonly at: number; readonly current: number }[] = [];

  add(at: number, current: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && current < last.current) this.#samples.length = 0; // it began anew
    if (last !== undefined && at - last.at < shortest / 5 && this.#samples.length > 1) this.#samples.pop();
    this.#samples.push({ at, current });
    while (this.#samples.length > 2 && at - this.#samples[0]!.at > window) this.#samples.shift();
  }

  /** Per second; undefined until half a second is known. */
  get rate(): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last.at - first.at < shortest) return undefined;
    return ((last.current - first.current) * 1_000) / (last.at - first.at);
  }
}
