import type { Artifact } from '../../core/artifact.js';
import type { BakeEvent, ErrorReport } from '../../core/events.js';
import { type Progress, RateMeter } from './progress-text.js';

const keptLines = 3;

export interface StepView {
  readonly id: string;
  readonly title: string;
  status: 'running' | 'retrying' | 'succeeded' | 'failed' | 'continued' | 'skipped' | 'removing' | 'removed' | 'stuck';
  startedAt: number;
  milliseconds: number;
  attempt: number;
  readonly progress: Map<string, Progress & { readonly meter: RateMeter }>;
  /** The last lines of output. */
  lines: string[];
  note: string | undefined;
}

export interface BuildView {
  readonly id: string;
  platform: string;
  /** Steps in all; 0 if not known. */
  total: number;
  status: 'waiting' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'skipped';
  startedAt: number;
  milliseconds: number;
  /** Steps that have ended. */
  done: number;
  readonly steps: Map<string, StepView>;
  artifacts: readonly Artifact[];
  error: ErrorReport | undefined;
}

type StepEvent = Extract<BakeEvent, { readonly step: string }>;

/** What is known of a run after the events so far: pure state, drawn by whoever likes. */
export class RunView {
  run = '';
  log = '';
  startedAt: number | undefined;
  isCancelling = false;
  readonly builds = new Map<string, BuildView>();

  apply(event: BakeEvent): void {
    switch (event.type) {
      case 'run.started':
        this.run = event.run;
        this.log = event.log;
        this.startedAt = event.at;
        for (const { id, platform, steps } of event.builds) this.#build(id, { platform, total: steps });
        return;
      case 'run.cancelling':
        this.isCancelling = true;
        return;
      case 'run.finished':
        return;
      case 'build.started':
        Object.assign(this.#build(event.build), { status: 'running', startedAt: event.at, platform: event.platform });
        return;
      case 'build.resumed':
      case 'build.waiting':
        return;
      case 'build.finished': {
        const { status, milliseconds, artifacts, error } = event;
        Object.assign(this.#build(event.build), { status, milliseconds, artifacts, error });
        return;
      }
      default:
        this.#applyToStep(event);
    }
  }

  #applyToStep(event: StepEvent): void {
    const build = this.#build(event.build ?? '');
    const step = this.#step(build, event);
    switch (event.type) {
      case 'step.started':
        Object.assign(step, { status: 'running', attempt: event.attempt, lines: [], note: undefined });
        if (event.attempt === 1) step.startedAt = event.at;
        step.progress.clear();
        return;
      case 'step.output':
        step.lines.push(event.line);
        if (step.lines.length > keptLines) step.lines.shift();
        return;
      case 'step.progress': {
        const { label, current, total, unit } = event;
        const meter = step.progress.get(label)?.meter ?? new RateMeter();
        meter.add(event.at, current);
        step.progress.set(label, { label, current, total, unit, meter, rate: meter.rate });
        return;
      }
      case 'step.warned':
        step.note = event.message;
        return;
      case 'step.retried':
        Object.assign(step, { status: 'retrying', note: event.error.message, lines: [] });
        return;
      case 'machine.lost':
        for (const id of [event.step, ...event.again]) this.#forget(build, id);
        return;
      case 'step.succeeded':
        this.#end(build, step, 'succeeded', event.milliseconds);
        return;
      case 'step.failed':
        step.note = event.error.message;
        this.#end(build, step, event.continued ? 'continued' : 'failed', event.milliseconds);
        return;
      case 'step.cached':
        this.#end(build, step, 'succeeded', 0);
        return;
      case 'checkpoint.saved':
        return;
      case 'step.skipped':
        this.#end(build, step, 'skipped', 0);
        return;
      case 'release.started':
        Object.assign(step, { status: 'removing', startedAt: event.at, lines: [] });
        return;
      case 'release.succeeded':
        step.status = 'removed';
        return;
      case 'release.failed':
        Object.assign(step, { status: 'stuck', note: event.error.message });
    }
  }

  #end(build: BuildView, step: StepView, status: StepView['status'], milliseconds: number): void {
    Object.assign(step, { status, milliseconds, lines: [] });
    step.progress.clear();
    if (status !== 'skipped') build.done++;
  }

  /** As if it had not been begun. */
  #forget(build: BuildView, id: string): void {
    const { status } = build.steps.get(id) ?? {};
    if (status === 'succeeded' || status === 'continued' || status === 'failed') build.done--;
    build.steps.delete(id);
  }

  #build(id: string, facts: Partial<BuildView> = {}): BuildView {
    let build = this.builds.get(id);
    if (build === undefined) {
      build = { id, platform: '', total: 0, status: 'waiting', startedAt: 0, milliseconds: 0, done: 0, steps: new Map(), artifacts: [], error: undefined };
      this.builds.set(id, build);
    }
    return Object.assign(build, facts);
  }

  #step(build: BuildView, { step: id, title, at }: StepEvent): StepView {
    let step = build.steps.get(id);
    if (step === undefined) {
      step = { id, title, status: 'running', startedAt: at, milliseconds: 0, attempt: 1, progress: new Map(), lines: [], note: undefined };
      build.steps.set(id, step);
    }
    return step;
  }
}
