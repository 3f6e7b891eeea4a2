// Contract of the fake parameters of Systems Manager: each write is a version; the last hundred are remembered. A value with the
// data type `aws:ec2:image` is there only some looks after it was written, and never if it names no image that is there:
// https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-ec2-aliases.html
import type { ParameterPort, ParameterVersion } from '../../../lib/platforms/ec2/engine/parameter-port.js';

export class FakeParameters implements ParameterPort {
  readonly #versions = new Map<string, ParameterVersion[]>();
  #pending: { readonly name: string; readonly version: ParameterVersion; looks: number }[] = [];
  readonly #lateness: number;
  readonly #isImage: (id: string) => boolean;

  /** @param lateness looks at the parameters until a value for an image is there */
  constructor({ lateness = 0, isImage = () => true }: { readonly lateness?: number; readonly isImage?: (id: string) => boolean } = {}) {
    this.#lateness = lateness;
    this.#isImage = isImage;
  }

  async get(name: string): Promise<ParameterVersion | undefined> {
    this.#look();
    return this.#versions.get(name)?.at(-1);
  }

  async put(name: string, { value, dataType }: Pick<ParameterVersion, 'value' | 'dataType'>): Promise<void> {
    const version = { value, dataType, version: (this.#versions.get(name)?.length ?? 0) + 1 };
    if (dataType === 'aws:ec2:image') this.#pending.push({ name, version, looks: this.#lateness });
    else this.#write(name, version);
  }

  async history(name: string): Promise<readonly ParameterVersion[]> {
    this.#look();
    return (this.#versions.get(name) ?? []).slice(-100);
  }

  async remove(name: string): Promise<void> {
    this.#versions.delete(name);
  }

  #look(): void {
    const due = this.#pending.filter((pending) => pending.looks-- <= 0);
    this.#pending = this.#pending.filter((pending) => !due.includes(pending));
    for (const { name, version } of due) if (this.#isImage(version.value)) this.#write(name, version);
  }

  #write(name: string, version: ParameterVersion): void {
    this.#versions.set(name, [...this.#versions.get(name) ?? [], version]);
  }
}
