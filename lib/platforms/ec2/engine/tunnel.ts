import { BakeError } from '../../../core/bake-error.js';
import type { StepContext } from '../../../engine/handler.js';
import type { SessionPort } from './session-port.js';

/** Amazon's own program, which speaks the protocol of a session's data channel. */
export const sessionProgram = 'session-manager-plugin';
/** The program takes the name of a variable that begins so in the place of the session itself, which has a token in it. */
const sessionVariable = 'AWS_SSM_START_SESSION_RESPONSE';
/** What the program says while all is well. */
const usual = /^\s*$|^Starting session|^Waiting for connections|^Connection accepted/;
/** Milliseconds that a machine may take until its agent has announced itself. */
const longestUntilOnline = 300_000;
/** Milliseconds that a session may take until its port is open: the program waits without end for an agent that went away meanwhile, as one does that updates itself. */
const longestOpening = 60_000;
/** Milliseconds between two tries at a session; doubled each time. */
const [firstPause, longestPause] = [500, 4_000];

export interface TunnelOptions {
  readonly sessions: SessionPort;
  readonly instanceId: string;
  /** Of the machine. */
  readonly port: number;
  readonly region: string;
  readonly profile: string | undefined;
}

type Context = Pick<StepContext, 'exec' | 'clock' | 'log' | 'maskSecret'>;

/** A port of this computer that leads to one of a machine, until it is closed. A session that ends meanwhile is followed by another one. */
export class Tunnel {
  readonly #options: TunnelOptions;
  readonly #ctx: Context;
  readonly #over = new AbortController();
  readonly #ended: Promise<void>;
  /** The port of this computer. Rejects if there is no session to be had. */
  readonly opened: Promise<number>;
  #localPort = 0;

  constructor(options: TunnelOptions, ctx: Context) {
    this.#options = options;
    this.#ctx = ctx;
    let work: Promise<void> = Promise.resolve();
    this.opened = new Promise((resolve, reject) => { work = this.#keepOpen(resolve).catch((error: unknown) => reject(error as Error)); });
    this.opened.catch(() => {}); // told to whoever waits for it
    this.#ended = work;
  }

  /** Ends the session and its program. Idempotent. */
  async close(): Promise<void> {
    this.#over.abort(new BakeError({ code: 'TunnelClosed', message: 'the tunnel was closed' }));
    await this.#ended;
  }

  async #keepOpen(onOpened: (port: number) => void): Promise<void> {
    const { signal } = this.#over;
    const deadline = this.#ctx.clock.now() + longestUntilOnline;
    for (let pause = firstPause; !signal.aborted; pause = Math.min(pause * 2, longestPause)) {
      try {
        await this.#session((port) => { pause = firstPause; onOpened(port); });
      } catch (error) {
        if (signal.aborted) return;
        const { code, message, transient } = BakeError.from(error);
        if (this.#localPort === 0 && (code !== 'SessionSilent' || this.#ctx.clock.now() > deadline)) throw error;
        this.#ctx.log(transient ? `${message}; trying again` : message, 'stderr');
        if (!transient) return; // whoever uses the tunnel finds it closed
      }
      await this.#ctx.clock.sleep(pause, signal).catch(() => {}); // it was closed
    }
  }

  /** One session, from its beginning to its end. */
  async #session(onOpened: (port: number) => void): Promise<void> {
    const { sessions, instanceId, region, profile } = this.#options;
    const { exec, clock, log, maskSecret } = this.#ctx;
    const { id, streamUrl, token, endpoint } = await this.#start();
    maskSecret(token);
    let said = '';
    const [opening, silent] = [new AbortController(), new AbortController()];
    try {
      const running = exec.run({
        command: sessionProgram, args: [sessionVariable, region, 'StartSession', profile ?? '', JSON.stringify({ Target: instanceId }), endpoint],
        env: { [sessionVariable]: JSON.stringify({ SessionId: id, StreamUrl: streamUrl, TokenValue: token }) },
        onStdout: (line) => {
          const [, opened] = /^Port (\d+) opened for sessionId/.exec(line) ?? [];
          if (opened !== undefined) {
            opening.abort();
            onOpened(this.#localPort = Number(opened));
          } else if (!usual.test(line)) said = line.trim();
        },
        signal: AbortSignal.any([this.#over.signal, silent.signal]),
      });
      clock.sleep(longestOpening, opening.signal).then(() => silent.abort(silence(instanceId)), () => {}); // it is open, or over
      await running;
    } finally {
      opening.abort();
      await sessions.terminate(id, AbortSignal.timeout(10_000)).catch((error: unknown) => { log(`the session ${id} ends with its machine: ${BakeError.from(error).message}`, 'stderr'); });
    }
    throw new BakeError({ code: 'SessionEnded', source: 'platform', message: `the session with ${instanceId} ended${said === '' ? '' : `: ${said}`}`, transient: true, hint: `look at the log of the SSM agent in the machine, and of ${sessionProgram} on this computer` });
  }

  async #start() {
    const { sessions, instanceId, port } = this.#options;
    const { clock } = this.#ctx;
    const { signal } = this.#over;
    const deadline = clock.now() + longestUntilOnline;
    for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
      try {
        return await sessions.start(instanceId, { port, localPort: this.#localPort }, signal);
      } catch (error) {
        if (!BakeError.is(error) || !error.transient || clock.now() > deadline) throw error;
        await clock.sleep(pause, signal);
      }
    }
  }
}

function silence(instanceId: string): BakeError {
  return new BakeError({ code: 'SessionSilent', source: 'platform', message: `the session with ${instanceId} did not open its port within ${longestOpening / 1_000} seconds`, transient: true, hint: 'look at the log of the SSM agent in the machine' });
}
