import ssh2 from 'ssh2';
import { fingerprintOf } from './host-trust.js';

/** An agent of which only some keys are offered. */
export class ChosenIdentities extends ssh2.BaseAgent {
  readonly #agent: ssh2.BaseAgent;
  readonly #chosen: ReadonlySet<string>;

  /** @param chosen public keys, as lines of authorized_keys, or `SHA256:` fingerprints */
  constructor(agent: ssh2.BaseAgent, chosen: readonly string[]) {
    super();
    this.#agent = agent;
    this.#chosen = new Set(chosen.map((one) => one.trim()).map((one) => (one.startsWith('SHA256:') ? one.replace(/=+$/, '') : fingerprintOf(Buffer.from(one.split(/\s+/)[1] ?? '', 'base64')))));
  }

  override getIdentities(done: Parameters<ssh2.BaseAgent['getIdentities']>[0]): void {
    this.#agent.getIdentities((error, keys) => {
      if (error) done(error);
      else done(undefined, (keys as ssh2.ParsedKey[]).filter((key) => this.#chosen.has(fingerprintOf(key.getPublicSSH()))));
    });
  }

  override sign(key: string | Buffer | ssh2.ParsedKey, data: Buffer, options: ssh2.SigningRequestOptions | ssh2.SignCallback, done?: ssh2.SignCallback): void {
    this.#agent.sign(key, data, options as ssh2.SigningRequestOptions, done);
  }
}
