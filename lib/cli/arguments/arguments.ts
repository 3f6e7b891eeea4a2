import type { CommandSpec } from './command-spec.js';

export type ArgumentValues = Readonly<Record<string, readonly string[]>>;

/** A command line that has been understood. */
export class Arguments {
  /** Undefined if none was named. */
  readonly command: CommandSpec | undefined;
  readonly positionals: readonly string[];
  readonly #values: ArgumentValues;

  constructor(command: CommandSpec | undefined, positionals: readonly string[], values: ArgumentValues) {
    this.command = command;
    this.positionals = positionals;
    this.#values = values;
  }

  flag(name: string): boolean {
    return this.#values[name] !== undefined;
  }
  /** The last value given. */
  text(name: string): string | undefined {
    return this.#values[name]?.at(-1);
  }
  texts(name: string): readonly string[] {
    return this.#values[name] ?? [];
  }
  count(name: string): number | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : Number(text);
  }
  /** `--color` or `--no-color`, whichever comes last. */
  get color(): boolean | undefined {
    return this.#values['color'] === undefined ? undefined : this.text('color') === 'yes';
  }
}
