import type { StepContext } from '../../../../engine/handler.js';

const keptLines = 40;

/** Makes a log and a progress bar of what mmdebstrap and apt print. */
export class BootstrapProgress {
  readonly #ctx: Pick<StepContext, 'log' | 'progress'>;
  readonly #tail: string[] = [];
  #packages: number | undefined;
  #fetched = 0;
  #unpacked = 0;

  constructor(ctx: Pick<StepContext, 'log' | 'progress'>) {
    this.#ctx = ctx;
  }

  /** The last lines. */
  get tail(): readonly string[] {
    return this.#tail;
  }

  line(line: string): void {
    if (line.trim() === '') return;
    this.#tail.push(line);
    if (this.#tail.length > keptLines) this.#tail.shift();
    const [, newPackages] = /(\d+) newly installed/.exec(line) ?? [];
    if (newPackages !== undefined) this.#packages = (this.#packages ?? 0) + Number(newPackages);
    if (/^Get:\d+ .*\.deb|^Get:\d+ .* \[[\d.,]+ [kM]?B\]$/.test(line)) this.#count('downloaded', ++this.#fetched);
    else if (line.startsWith('Setting up ')) this.#count('installed', ++this.#unpacked);
    this.#ctx.log(line.replace(/^[IW]: /, ''), /^[IWE]: /.test(line) ? 'info' : 'stdout');
  }

  #count(label: string, current: number): void {
    this.#ctx.progress({ label, current, unit: 'items', ...(this.#packages === undefined || current > this.#packages ? {} : { total: this.#packages }) });
  }
}
