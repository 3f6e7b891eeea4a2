/** What stands where a secret stood. */
export const mask = '••••';

/**
 * Takes secrets out of whatever is shown or stored. It knows each secret as it is, line by line if it has several, and
 * as base64, JSON and percent-encoding write it.
 */
export class Masker {
  readonly #forms = new Set<string>();
  #pattern: RegExp | undefined;

  add(secret: string): void {
    if (secret === '') return;
    const lines = secret.split(/\r?\n/).filter((line) => line.trim() !== '');
    const wholes = lines.length > 1 ? [secret, ...lines.filter((line) => line.length >= 4)] : [secret];
    const before = this.#forms.size;
    for (const whole of wholes) for (const form of formsOf(whole)) this.#forms.add(form);
    if (this.#forms.size !== before) this.#pattern = undefined;
  }

  text(text: string): string {
    if (this.#forms.size === 0 || text === '') return text;
    // The longest first: one secret may be the beginning of another.
    this.#pattern ??= new RegExp([...this.#forms].sort((a, b) => b.length - a.length).map((form) => form.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|'), 'g');
    return text.replace(this.#pattern, mask);
  }

  /** A copy of a JSON-like value with every text in it masked; names of members too. */
  value<T>(value: T): T {
    if (this.#forms.size === 0) return value;
    return this.#deep(value) as T;
  }

  #deep(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.#deep(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [this.text(key), this.#deep(member)]));
  }
}

function formsOf(secret: string): readonly string[] {
  const forms = [secret];
  if (secret.length < 4) return forms;
  const base64 = Buffer.from(secret).toString('base64');
  return [...forms, base64, base64.replace(/=+$/, ''), JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret), secret.replaceAll("'", `'\\''`)];
}
