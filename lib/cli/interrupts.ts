import { BakeError } from '../core/bake-error.js';
import { exitCode } from './exit-code.js';

/** Ctrl-C and its kin. */
export interface Interrupts {
  /**
   * Does work that cleans up after itself: the first interrupt aborts its signal; the second one leaves the process at
   * once, with `lastWords` printed.
   */
  guard<T>(work: (signal: AbortSignal) => Promise<T>, notes: InterruptNotes): Promise<T>;
}

export interface InterruptNotes {
  /** Whether a Ctrl-C is now meant for a program that shares the terminal. @default - never */
  readonly isForOthers?: () => boolean;
  /** Called on the first interrupt. */
  readonly onFirst: () => void;
  /** Printed when the second one leaves things behind. */
  readonly lastWords: () => string;
}

/** The part of `process` that sends signals and ends. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  exit(code: number): void;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
// The terminal and npx both pass on one and the same Ctrl-C.
const echoTime = 100;

export class ProcessInterrupts implements Interrupts {
  readonly #source: SignalSource;
  readonly #print: (text: string) => void;
  readonly #now: () => number;

  constructor(source: SignalSource, print: (text: string) => void, now: () => number) {
    this.#source = source;
    this.#print = print;
    this.#now = now;
  }

  async guard<T>(work: (signal: AbortSignal) => Promise<T>, notes: InterruptNotes): Promise<T> {
    const controller = new AbortController();
    let firstAt = 0;
    const listener = (signal: NodeJS.Signals): void => {
      if (signal === 'SIGINT' && notes.isForOthers?.() === true) return;
      if (!controller.signal.aborted) {
        firstAt = this.#now();
        controller.abort(new BakeError({ code: 'Interrupted', message: `interrupted by ${signal}` }));
        notes.onFirst();
        return;
      }
      if (this.#now() - firstAt < echoTime) return;
      this.#print(notes.lastWords());
      this.#source.exit(exitCode.interrupted);
    };
    for (const signal of signals) this.#source.on(signal, listener);
    try {
      return await work(controller.signal);
    } finally {
      for (const signal of signals) this.#source.off(signal, listener);
    }
  }
}
