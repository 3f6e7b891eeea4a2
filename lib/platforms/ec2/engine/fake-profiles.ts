import type { ProfilePort, ProfileRequest } from './profile-port.js';

/** Instance profiles in memory. `boundary` is called before and after each effect: a test may throw there. */
export class FakeProfiles implements ProfilePort {
  readonly profiles = new Map<string, ProfileRequest>();
  readonly #boundary: (call: string, when: 'before' | 'after') => Promise<void>;

  constructor(boundary: (call: string, when: 'before' | 'after') => Promise<void> = async () => {}) {
    this.#boundary = boundary;
  }

  create(request: ProfileRequest): Promise<void> {
    return this.#change('CreateInstanceProfile', () => { this.profiles.set(request.name, request); });
  }

  exists(name: string): Promise<boolean> {
    return Promise.resolve(this.profiles.has(name));
  }

  remove(name: string): Promise<void> {
    return this.#change('DeleteInstanceProfile', () => { this.profiles.delete(name); });
  }

  list(): ReturnType<ProfilePort['list']> {
    return Promise.resolve([...this.profiles.values()]);
  }

  async #change(call: string, work: () => void): Promise<void> {
    await this.#boundary(call, 'before');
    work();
    await this.#boundary(call, 'after');
  }
}
