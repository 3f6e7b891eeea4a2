import type { Communicator, Connection } from '../core/communicator.js';
import { canonicalJson } from '../core/json.js';
import type { CommunicatorHost } from './extension.js';
import type { Registry } from './registry.js';

/** One open communicator per machine, shared by all steps of its build. */
export class Connections {
  readonly #registry: Registry;
  readonly #open = new Map<string, { readonly build: string; readonly communicator: Promise<Communicator> }>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  connect(build: string, connection: Connection, host: CommunicatorHost): Promise<Communicator> {
    const key = `${build} ${canonicalJson(connection)}`;
    const known = this.#open.get(key);
    if (known !== undefined) return known.communicator;
    const communicator = this.#registry.communicator(connection.kind).then((open) => open(connection, host));
    this.#open.set(key, { build, communicator });
    communicator.catch(() => this.#open.delete(key)); // the next attempt dials again
    return communicator;
  }

  /** Closes what a build has open; without a build, everything. */
  async close(build?: string): Promise<void> {
    const mine = [...this.#open].filter(([, entry]) => build === undefined || entry.build === build);
    await Promise.all(mine.map(async ([key, { communicator }]) => {
      this.#open.delete(key);
      await communicator.then((open) => open.close()).catch(() => {}); // a connection that is broken is closed
    }));
  }
}
