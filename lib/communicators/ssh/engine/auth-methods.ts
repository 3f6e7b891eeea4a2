import ssh2 from 'ssh2';
import type { SshLogin } from '../connection.js';
import { ChosenIdentities } from './chosen-identities.js';
import type { LoadedKey } from './private-key.js';

interface Method {
  /** For people. */
  readonly name: string;
  /** As the server lists it. */
  readonly wire: string;
  readonly method: ssh2.AnyAuthMethod;
}

/** Offers one method of logging in after the other, leaving out what the server does not take, and remembers what happened. */
export class AuthMethods {
  readonly tried: string[] = [];
  /** What the server said it takes; undefined until it has refused something. */
  taken: readonly string[] | undefined;
  readonly #left: Method[];

  constructor(login: Pick<SshLogin, 'user' | 'password' | 'agent' | 'agentIdentities'>, keys: readonly LoadedKey[]) {
    const { user: username, password, agentIdentities } = login;
    const agent = login.agent === undefined || agentIdentities === undefined ? login.agent : new ChosenIdentities(ssh2.createAgent(login.agent), agentIdentities);
    this.#left = keys.map(({ key, name }): Method => ({ name: `publickey (${name})`, wire: 'publickey', method: { type: 'publickey', username, key } }));
    if (agent !== undefined) this.#left.push({ name: 'publickey (agent)', wire: 'publickey', method: { type: 'agent', username, agent } });
    if (password !== undefined) {
      this.#left.push({ name: 'password', wire: 'password', method: { type: 'password', username, password } });
      this.#left.push({ name: 'keyboard-interactive', wire: 'keyboard-interactive', method: { type: 'keyboard-interactive', username, prompt: answerWith(password) } });
    }
    if (this.#left.length === 0) this.#left.push({ name: 'none', wire: 'none', method: { type: 'none', username } });
  }

  /** The next method; undefined if there is none. `taken` is what the server listed in its last refusal. */
  next(taken: readonly string[] | null): ssh2.AnyAuthMethod | undefined {
    this.taken = taken ?? this.taken;
    for (let next = this.#left.shift(); next !== undefined; next = this.#left.shift()) {
      if (taken !== null && !taken.includes(next.wire)) continue;
      this.tried.push(next.name);
      return next.method;
    }
    return undefined;
  }
}

/** Answers the prompts that do not echo, such as `Password:`; a prompt that echoes asks for something else. */
function answerWith(password: string): ssh2.KeyboardInteractiveAuthMethod['prompt'] {
  return (_name, _instructions, _language, prompts, finish) => finish(prompts.map((prompt) => (prompt.echo === true ? '' : password)));
}
