import type { BakeEvent, Question } from '../../core/events.js';
import { formatMilliseconds } from '../../core/duration.js';
import type { OutputStream } from '../terminal/output-stream.js';
import type { PlainLines } from './plain-lines.js';
import { formatProgress } from './progress-text.js';
import type { Prompt } from './prompt.js';
import type { RunHost } from './run-host.js';
import { RunView, type StepView } from './run-view.js';

const firstReport = 2_000;
const reportEvery = 5_000;
const longestSilence = 60_000;
const tickTime = 1_000;

/** A time at which a step last said something, and how long it may be silent from then on. */
interface Silence {
  since: number;
  patience: number;
  shown: string;
}

export interface PlainHostOptions {
  readonly output: OutputStream;
  readonly lines: PlainLines;
  readonly prompt: Prompt;
  readonly now: () => number;
  /** Calls back again and again; returns how to stop. */
  readonly every: (milliseconds: number, tick: () => void) => () => void;
}

/** Lines that scroll, for a pipe, a file or CI: each event is one, and a step that is busy says so now and then. */
export class PlainHost implements RunHost {
  readonly #options: PlainHostOptions;
  readonly #view = new RunView();
  readonly #silences = new Map<string, Silence>();
  readonly #stop: () => void;

  constructor(options: PlainHostOptions) {
    this.#options = options;
    this.#stop = options.every(tickTime, () => this.#tick());
  }

  notify(event: BakeEvent): void {
    this.#view.apply(event);
    this.#watch(event);
    this.#print(this.#options.lines.of(event));
  }
  ask(question: Question, signal?: AbortSignal): Promise<string> {
    return this.#options.prompt.ask(question, signal);
  }
  close(): void {
    this.#stop();
  }

  #print(lines: readonly string[]): void {
    if (lines.length > 0) this.#options.output.write(`${lines.join('\n')}\n`);
  }

  #watch(event: BakeEvent): void {
    if (!('step' in event)) return;
    if (event.type === 'step.started' || event.type === 'release.started') this.#silences.set(event.step, { since: event.at, patience: firstReport, shown: '' });
    else if (event.type === 'step.output') Object.assign(this.#silences.get(event.step) ?? {}, { since: event.at, patience: reportEvery });
    else if (event.type !== 'step.progress' && event.type !== 'step.warned') this.#silences.delete(event.step);
  }

  #tick(): void {
    const now = this.#options.now();
    for (const build of this.#view.builds.values()) {
      for (const step of build.steps.values()) {
        const silence = this.#silences.get(step.id);
        if (silence === undefined || now - silence.since < silence.patience) continue;
        const progress = progressOf(step);
        const isNew = progress !== undefined && progress !== silence.shown;
        this.#print(this.#options.lines.note(build.id, `… ${step.title}: ${progress ?? 'still going on'} (${formatMilliseconds(Math.round((now - step.startedAt) / 1_000) * 1_000)})`));
        // One that moves is shown every few seconds; one that is silent less and less often.
        Object.assign(silence, { since: now, shown: progress ?? '', patience: isNew || silence.patience < reportEvery ? reportEvery : Math.min(longestSilence, silence.patience * 2) });
      }
    }
  }
}

/** The one of its transfers that is the least done. */
function progressOf(step: StepView): string | undefined {
  const open = [...step.progress.values()].filter(({ current, total }) => total === undefined || current < total);
  const [first] = open.length > 0 ? open : [...step.progress.values()].slice(-1);
  if (first === undefined) return undefined;
  const more = open.length > 1 ? ` and ${open.length - 1} more` : '';
  return `${first.label === step.title ? '' : `${first.label} `}${formatProgress(first)}${more}`;
}
