import type { Communicator, Connection } from '../core/communicator.js';
import { canonicalJson } from '../core/json.js';
import type { CommunicatorHost } from './extension.js';
import type { Registry } from './registry.js';

/** One open communicator per machine, shared by all steps of its build. */
export class Connections {
  readonly #registry: Registry;
  readonly #open = new Map<string, Promise<Communicator>>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  connect(build: string, connection: Connection, host: CommunicatorHost): Promise<Communicator> {
    const key = keyOf(build, connection);
    const known = this.#open.get(key);
    if (known !== undefined) return known;
    const communicator = this.#registry.communicator(connection.kind).then((open) => open(connection, host));
    this.#open.set(key, communicator);
    communicator.catch(() => this.#open.delete(key)); // the next attempt dials again
    return communicator;
  }

  /** Closes what a build has open to one machine: others of its machines may be in use. */
  async close(build: string, connection: Connection): Promise<void> {
    await this.#close(keyOf(build, connection));
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#open.keys()].map((key) => this.#close(key)));
  }

  async #close(key: string): Promise<void> {
    const communicator = this.#open.get(key);
    this.#open.delete(key);
    await communicator?.then((open) => open.close()).catch(() => {}); // a connection that is broken is closed
  }
}

function keyOf(build: string, connection: Connection): string {
  return `${build} ${canonicalJson(connection)}`;
}
