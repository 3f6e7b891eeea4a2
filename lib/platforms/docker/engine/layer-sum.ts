import type { StepContext } from '../../../engine/handler.js';
import type { LayerProgress } from './docker-engine.js';

/** Adds up what the layers of one image report, so that a pull or push has one bar. */
export class LayerSum {
  readonly #label: string;
  readonly #progress: StepContext['progress'];
  readonly #layers = new Map<string, { current: number; total: number }>();

  constructor(label: string, progress: StepContext['progress']) {
    this.#label = label;
    this.#progress = progress;
  }

  add({ layer, status, current, total }: LayerProgress): void {
    const known = this.#layers.get(layer);
    if (/^(Downloading|Pushing)/.test(status) && current !== undefined) {
      // A push reports no total for a layer that it has not measured yet.
      this.#layers.set(layer, { current, total: Math.max(total ?? 0, current, known?.total ?? 0) });
    } else if (/^(Download complete|Pull complete|Pushed|Already exists|Layer already exists)/.test(status) && known !== undefined) {
      known.current = known.total;
    } else return;
    const all = [...this.#layers.values()];
    this.#progress({ label: this.#label, current: all.reduce((sum, one) => sum + one.current, 0), total: all.reduce((sum, one) => sum + one.total, 0), unit: 'bytes' });
  }
}
