import type { BakeEvent, Question } from '../../core/events.js';
import type { LiveScreen } from '../terminal/live-screen.js';
import type { Style } from '../terminal/style.js';
import type { Symbols } from '../terminal/symbols.js';
import { renderTree } from './live-tree.js';
import type { PlainLines } from './plain-lines.js';
import type { Prompt } from './prompt.js';
import type { RunHost } from './run-host.js';
import { RunView } from './run-view.js';

const frameTime = 80;
/** What stays on the terminal even without `--verbose`. */
const lasting: ReadonlySet<BakeEvent['type']> = new Set(['build.resumed', 'build.waiting', 'step.warned', 'step.retried', 'machine.lost', 'release.failed']);

export interface LiveHostOptions {
  readonly screen: LiveScreen;
  readonly lines: PlainLines;
  readonly style: Style;
  readonly symbols: Symbols;
  /** Every event scrolls by above the tree. */
  readonly isVerbose: boolean;
  /** The prompt, which takes the display away while it asks. */
  readonly prompt: (display: { readonly pause: () => void; readonly resume: () => void }) => Prompt;
  /** Tells of every line end that is typed until the returned function is called. */
  readonly typed: (onLines: (count: number) => void) => () => void;
  readonly now: () => number;
  readonly every: (milliseconds: number, tick: () => void) => () => void;
}

/** A tree that is drawn anew a dozen times a second, however many events there are. */
export class LiveHost implements RunHost {
  readonly #options: LiveHostOptions;
  readonly #view = new RunView();
  readonly #prompt: Prompt;
  readonly #stop: () => void;
  #isPaused = false;
  #isClosed = false;
  #ignoreTyped: () => void = () => {};

  constructor(options: LiveHostOptions) {
    this.#options = options;
    this.#prompt = options.prompt({
      pause: () => {
        this.#isPaused = true;
        this.#ignoreTyped(); // now it is an answer
        options.screen.close();
      },
      resume: () => {
        this.#isPaused = false;
        this.#watchTyped();
      },
    });
    this.#stop = options.every(frameTime, () => this.#draw());
    this.#watchTyped();
  }

  notify(event: BakeEvent): void {
    this.#view.apply(event);
    const lines = this.#options.lines.of(event);
    if (this.#options.isVerbose || lasting.has(event.type)) this.#options.screen.printAbove(lines);
  }
  ask(question: Question, signal?: AbortSignal): Promise<string> {
    return this.#prompt.ask(question, signal);
  }
  close(): void {
    this.#stop();
    this.#ignoreTyped();
    this.#ignoreTyped = () => {};
    this.#isClosed = true;
    this.#options.screen.close();
  }

  #watchTyped(): void {
    if (this.#isClosed) return;
    this.#ignoreTyped = this.#options.typed((count) => this.#options.screen.pushedDown(count));
  }

  #draw(): void {
    if (this.#isPaused) return;
    const { screen, style, symbols, now } = this.#options;
    screen.draw(renderTree(this.#view, { columns: screen.columns - 1, height: screen.height, now: now(), style, symbols }));
  }
}
