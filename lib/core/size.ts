import { BakeError } from './bake-error.js';

const kibi = 1024;

/** An amount of storage or memory, in powers of 1024. */
export class Size {
  static bytes(amount: number): Size {
    return new Size(amount);
  }
  static kibibytes(amount: number): Size {
    return new Size(amount * kibi);
  }
  static mebibytes(amount: number): Size {
    return new Size(amount * kibi ** 2);
  }
  static gibibytes(amount: number): Size {
    return new Size(amount * kibi ** 3);
  }
  static tebibytes(amount: number): Size {
    return new Size(amount * kibi ** 4);
  }

  /**
   * Reads `512MB`, `1.5 GiB`, `20G`, `4096`: powers of 1024, whichever way the unit is written.
   * @throws BakeError `InvalidSize` for any other text
   */
  static parse(text: string): Size {
    const [, amount, unit = ''] = /^(\d+(?:\.\d+)?) ?(?:([kmgt])i?)?b?$/i.exec(text) ?? [];
    if (amount === undefined) throw new BakeError({ code: 'InvalidSize', message: `"${text}" is not a size`, hint: 'write a number and a unit (KB, MB, GB, TB), such as 500MB or 20GB' });
    return new Size(Math.round(Number(amount) * kibi ** ['', 'k', 'm', 'g', 't'].indexOf(unit.toLowerCase())));
  }

  readonly #bytes: number;

  private constructor(bytes: number) {
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw new BakeError({ code: 'InvalidSize', message: `a size cannot be ${bytes} bytes`, hint: 'give a whole number of bytes that is 0 or more' });
    }
    this.#bytes = bytes;
  }

  toBytes(): number {
    return this.#bytes;
  }
  toMebibytes(): number {
    return this.#bytes / kibi ** 2;
  }
  toGibibytes(): number {
    return this.#bytes / kibi ** 3;
  }
  toString(): string {
    return formatBytes(this.#bytes);
  }
  /** In a plan a size is a number of bytes. */
  toJSON(): number {
    return this.#bytes;
  }
}

/** `512 B`, `1.5 MiB`, `20 GiB`: for people. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < kibi ? 0 : Math.min(units.length - 1, Math.floor(Math.log(bytes) / Math.log(kibi)));
  const amount = bytes / kibi ** power;
  return `${power === 0 || amount >= 100 ? Math.round(amount) : Number(amount.toFixed(1))} ${units[power]}`;
}
