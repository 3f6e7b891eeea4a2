import { join } from 'node:path';
import type { Communicator, Connection } from '../core/communicator.js';
import type { EventBody } from '../core/events.js';
import { sha256 } from '../core/json.js';
import type { Clock } from '../core/ports.js';
import type { CommunicatorHost } from './extension.js';
import type { StepContext } from './handler.js';
import type { EngineServices } from './services.js';

/** Facts of a step that recovery knows from the journal as well. */
export interface StepFacts {
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  readonly build: string;
  readonly buildName: string;
  readonly platform: string;
}

export interface ContextOptions {
  readonly step: StepFacts;
  readonly signal: AbortSignal;
  readonly services: EngineServices;
  readonly notify: (body: EventBody) => void;
  readonly connect: (connection: Connection, host: CommunicatorHost) => Promise<Communicator>;
  /** Told of every line, for the end of an error message. */
  readonly onLine?: (line: string) => void;
}

/** The stamp of one step of one run; the same on every attempt. */
export function tokenOf(run: string, step: string): string {
  return `${run}-${sha256(step).slice(0, 10)}`;
}

export function makeStepContext({ step, signal, services, notify, connect, onLine }: ContextOptions): StepContext {
  const { run, clock, exec, ids, masker, host } = services;
  const token = tokenOf(run.id, step.id);
  const fields = { step: step.id, build: step.build, title: step.title };
  const tmp = join(run.folder, 'tmp', token);
  const log: StepContext['log'] = (line, stream = 'stdout') => {
    onLine?.(line);
    notify({ type: 'step.output', stream, line, ...fields });
  };
  return {
    step, token, signal, clock, exec, ids, log,
    run: { id: run.id, tmp, logs: join(run.folder, 'logs'), project: run.project, cache: run.cache, force: run.force, ...(run.home === undefined ? {} : { home: run.home }), ...(run.projectName === undefined ? {} : { projectName: run.projectName }) },
    outputs: services.outputs,
    pin: (what, schema, lookup) => services.pins.of(what, schema, lookup, { step, log, signal }),
    progress: throttled(services.clock, (progress) => notify({ type: 'step.progress', ...progress, ...fields })),
    warn: (warning) => notify({ type: 'step.warned', ...warning, ...fields }),
    ask: (question) => host.ask(masker.value(question), signal),
    maskSecret: (value) => masker.add(value),
    connect: (connection, giveUp) => connect(connection, { exec, clock, signal: giveUp === undefined ? signal : AbortSignal.any([signal, giveUp]), tmp, log: (line) => log(line, 'info') }),
  };
}

/** Milliseconds between two reports of the same transfer: what comes in between is seen by nobody. */
const progressInterval = 100;

/** Passes on the first report of each label, the last one (all is done), and of those between a few a second. */
function throttled(clock: Clock, report: StepContext['progress']): StepContext['progress'] {
  const last = new Map<string, number>();
  return (progress) => {
    const now = clock.now();
    const isDue = now - (last.get(progress.label) ?? -Infinity) >= progressInterval;
    if (!isDue && progress.current !== progress.total) return;
    last.set(progress.label, now);
    report(progress);
  };
}
