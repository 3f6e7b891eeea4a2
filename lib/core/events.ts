import type { Artifact } from './artifact.js';
import type { SourceLocation } from './diagnostic.js';

/** An error as data: what events, reports and `--json` carry. */
export interface ErrorReport {
  readonly code: string;
  readonly message: string;
  readonly source: 'user' | 'bake' | 'platform';
  readonly construct?: string;
  readonly location?: SourceLocation;
  readonly hint?: string;
  /** The machine's last output lines. */
  readonly output?: readonly string[];
}

interface StepFields {
  /** Step id: the construct path with the step's name. */
  readonly step: string;
  /** Build id, such as `Web/Docker`; absent for a step of no build. */
  readonly build?: string;
  readonly title: string;
}

/** Something that stays behind, or that a run could not remove. */
export interface Leftover {
  readonly step: string;
  readonly kind: string;
  readonly token: string;
  readonly title: string;
  /** Why it is still there. */
  readonly reason: string;
}

export interface BuildSummary {
  readonly build: string;
  readonly status: 'succeeded' | 'failed' | 'cancelled' | 'skipped';
  readonly milliseconds: number;
  readonly artifacts: readonly Artifact[];
  /** Nothing had to be done: what an earlier run made is still as it was. */
  readonly upToDate?: true;
  /** Of one that did not succeed: the step after which a later run can go on, by its name in the build. */
  readonly resumesAfter?: string;
  readonly error?: ErrorReport;
}

export type EventBody =
  | { readonly type: 'run.started'; readonly run: string; readonly builds: readonly { id: string; platform: string; steps: number }[]; readonly log: string }
  | { readonly type: 'run.cancelling'; readonly run: string; readonly reason: string }
  | { readonly type: 'run.finished'; readonly run: string; readonly status: 'succeeded' | 'failed' | 'cancelled'; readonly milliseconds: number; readonly builds: readonly BuildSummary[]; readonly leftovers: readonly Leftover[] }
  | { readonly type: 'build.started'; readonly build: string; readonly platform: string }
  /** It goes on as an earlier run left it after this step, which is told by its name in the build. */
  | { readonly type: 'build.resumed'; readonly build: string; readonly after: string }
  /** Another build (`by`), of this run or of that of another process, does the same steps just now, up to `until` by its name in the build. This one waits for that, and goes on from there. */
  | { readonly type: 'build.waiting'; readonly build: string; readonly by: string; readonly run: string; readonly process?: number; readonly until: string }
  | ({ readonly type: 'build.finished' } & BuildSummary)
  | ({ readonly type: 'step.started'; readonly attempt: number } & StepFields)
  | ({ readonly type: 'step.output'; readonly stream: 'stdout' | 'stderr' | 'info'; readonly line: string } & StepFields)
  | ({ readonly type: 'step.progress'; readonly label: string; readonly current: number; readonly total?: number; readonly unit: 'bytes' | 'items' } & StepFields)
  | ({ readonly type: 'step.warned'; readonly code: string; readonly message: string; readonly hint?: string } & StepFields)
  | ({ readonly type: 'step.retried'; readonly attempt: number; readonly delay: number; readonly error: ErrorReport } & StepFields)
  /** The machine that the step made went away by itself: another one is made, and the steps `again` are done once more on it. */
  | ({ readonly type: 'machine.lost'; readonly reason: string; readonly again: readonly string[] } & StepFields)
  | ({ readonly type: 'step.succeeded'; readonly milliseconds: number } & StepFields)
  | ({ readonly type: 'step.failed'; readonly milliseconds: number; readonly error: ErrorReport; readonly continued: boolean } & StepFields)
  | ({ readonly type: 'step.skipped'; readonly reason: string } & StepFields)
  /** What it did in an earlier run is used again. */
  | ({ readonly type: 'step.cached' } & StepFields)
  /** A later run can go on after this step. */
  | ({ readonly type: 'checkpoint.saved'; readonly milliseconds: number; readonly bytes: number } & StepFields)
  | ({ readonly type: 'release.started' } & StepFields)
  | ({ readonly type: 'release.succeeded'; readonly milliseconds: number } & StepFields)
  | ({ readonly type: 'release.failed'; readonly error: ErrorReport } & StepFields);

/** What happened, and when (milliseconds since the epoch). The only way anything reaches a terminal, a log or a program. */
export type BakeEvent = EventBody & { readonly at: number };

export interface Question {
  /** Stable name, such as `step.failed`. */
  readonly id: string;
  readonly message: string;
  readonly choices: readonly { readonly key: string; readonly label: string }[];
  /** The key that an empty answer and a program without a terminal give. */
  readonly fallback: string;
}

/** Whatever shows a run: a terminal, plain lines, ndjson, a test. */
export interface IoHost {
  notify(event: BakeEvent): void;
  /** The key of the choice taken; rejects with the signal's reason if aborted. */
  ask(question: Question, signal?: AbortSignal): Promise<string>;
}
