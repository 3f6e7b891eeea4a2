import { BakeError } from '../core/bake-error.js';
import type { EventBody, Question } from '../core/events.js';
import { isJsonObject, type Json, type JsonObject } from '../core/json.js';
import type { Clock } from '../core/ports.js';
import { runStepId } from '../plan/plan.js';
import type { StepKind } from '../plan/step-kind.js';
import type { Connections } from './connections.js';
import type { ResourceHandler, StepContext } from './handler.js';
import type { LostMachine } from './lost-machine.js';
import { acquireResource, NotUndone, reportOf } from './resources.js';
import { resolveSpec } from './resolve-spec.js';
import type { StepState } from './run-state.js';
import type { EngineServices } from './services.js';
import { makeStepContext, type StepFacts } from './step-context.js';

/** How many of a machine's last lines an error shows. */
const shownLines = 20;
const defaultRetryDelay = 1_000;
const longestRetryDelay = 60_000;

export interface AttemptOptions {
  readonly services: EngineServices;
  readonly connections: Connections;
  readonly outputs: Map<string, JsonObject>;
  readonly notify: (body: EventBody) => void;
  /** Aborted by Ctrl-C and by the failure of the build. */
  readonly signal: AbortSignal;
  /** Never aborted: for undoing. */
  readonly cleanupSignal: AbortSignal;
  /** Waits for a place among the steps of the same cost. */
  readonly admit: <T>(kind: StepKind, work: () => Promise<T>) => Promise<T>;
  readonly asks: boolean;
  /** The machine that the step failed on, if that is why it failed. */
  readonly lostMachine: () => Promise<LostMachine | undefined>;
}

/** What becomes of a failed step: `keep` leaves what its build holds, as the user chose; a machine that was lost can be replaced. */
export class StepFailed extends Error {
  readonly reason: BakeError;
  readonly keep: boolean;
  readonly lost: LostMachine | undefined;

  constructor(reason: BakeError, { keep = false, lost }: { readonly keep?: boolean; readonly lost?: LostMachine } = {}) {
    super(reason.message);
    this.reason = reason;
    this.keep = keep;
    this.lost = lost;
  }
}

/**
 * Carries out one step by its policy: pause, attempts with growing delays, a time limit for each.
 * @throws StepFailed, or the signal's reason if aborted
 */
export async function attemptStep(state: StepState, options: AttemptOptions): Promise<void> {
  const { step } = state;
  const { services, notify, signal } = options;
  const policy = step.policy ?? {};
  const fields = { step: step.id, build: step.build, title: step.title };
  const lines: string[] = [];
  if (policy.pauseBefore !== undefined) await services.clock.sleep(policy.pauseBefore, signal);
  let left = policy.retries ?? 0;
  for (let attempt = 1, delay = policy.retryDelay ?? defaultRetryDelay; ; attempt++) {
    signal.throwIfAborted();
    notify({ type: 'step.started', attempt, ...fields });
    lines.length = 0;
    try {
      await attemptOnce(state, options, (line) => { lines.push(line); if (lines.length > shownLines) lines.shift(); });
      return;
    } catch (error) {
      const cause = error instanceof NotUndone ? error.original : error;
      const failure = describe(cause, state, lines);
      if (error instanceof NotUndone) {
        state.resource = 'stuck';
        throw new StepFailed(failure.with({ hint: `${failure.hint ?? ''}; what it left could not be removed: ${error.reason.message}`.replace(/^; /, '') }));
      }
      if (signal.aborted) throw signal.reason;
      const lost = await options.lostMachine();
      if (lost !== undefined) throw new StepFailed(failure, { lost });
      if (left > 0) {
        left--;
        notify({ type: 'step.retried', attempt, delay, error: reportOf(failure), ...fields });
        await services.clock.sleep(delay, signal);
        delay = Math.min(delay * 2, longestRetryDelay);
        continue;
      }
      const choice = options.asks && policy.continueOnError !== true ? await services.host.ask(services.masker.value(question(failure)), signal) : 'cleanup';
      if (choice !== 'retry') throw new StepFailed(failure, { keep: choice === 'keep' });
    }
  }
}

async function attemptOnce(state: StepState, options: AttemptOptions, onLine: (line: string) => void): Promise<void> {
  const { step } = state;
  const { services, notify, outputs } = options;
  const kind = services.registry.kind(step.kind);
  const loaded = await services.registry.handler(step.kind);
  const { spec, journalSpec } = specsOf(state, kind, services, outputs);
  state.spec = spec;
  const facts = factsOf(state);
  const connect = options.connections.connect.bind(options.connections, step.build);
  await options.admit(kind, () => withTimeout(step.policy?.timeout, options.signal, services.clock, async (signal) => {
    const context = makeStepContext({ step: facts, signal, services, notify, connect, onLine });
    if (loaded.type === 'action') {
      const output = await loaded.handler.run(spec, context);
      outputs.set(step.id, output);
      await services.journal.append({ type: 'action.done', step: step.id, output: services.masker.value(output), at: services.clock.now() }, 'eventual');
      return;
    }
    const cleanupContext = makeStepContext({ step: facts, signal: options.cleanupSignal, services, notify, connect });
    const handle = await acquireResource({ step: facts, lifetime: step.lifetime === 'artifact' ? 'artifact' : 'run', needs: step.needs, handler: loaded.handler, make: () => make(state, loaded.handler, spec, context), spec, journalSpec, context, cleanupContext }, services.journal);
    state.handle = handle;
    state.resource = 'held';
    outputs.set(step.id, handle);
  }));
}

/** A machine is made, or brought back as an earlier run left it. */
function make({ from }: StepState, handler: ResourceHandler<unknown, JsonObject>, spec: unknown, context: StepContext): Promise<JsonObject> {
  return from === undefined ? handler.acquire(spec, context) : handler.checkpoint!.restore(from, spec, context);
}

/** The spec for the handler, and the one for the journal, which keeps its secrets as references. */
function specsOf({ step }: StepState, kind: StepKind, services: EngineServices, outputs: ReadonlyMap<string, JsonObject>): { spec: unknown; journalSpec: JsonObject } {
  const withRun = new Map(outputs).set(runStepId, { id: services.run.id });
  const journalSpec = resolveSpec(step.spec, { outputs: withRun, secret: () => undefined, assets: services.run.assets }) as JsonObject;
  const opaque = new Set(kind.opaque ?? []);
  const resolved = Object.fromEntries(Object.entries(journalSpec).map(([key, value]) => [
    key, opaque.has(key) ? value : resolveSpec(value, { outputs: withRun, secret: (secret) => services.secrets.resolve(secret), assets: services.run.assets }),
  ]));
  const checked = kind.spec.safeParse(resolved);
  if (checked.success) return { spec: checked.data, journalSpec };
  const [issue] = checked.error.issues;
  throw new BakeError({ code: 'InvalidSpec', message: `"${issue?.path.join('.') ?? ''}" turned out to be unfit: ${issue?.message ?? ''}`, hint: 'look at what the values that it refers to were' });
}

export function factsOf({ step, build }: StepState): StepFacts {
  return { id: step.id, kind: step.kind, title: step.title, build: step.build, buildName: build.plan.name, platform: build.plan.platform };
}

/** Ends the work with `StepTimeout` when the time is over. */
async function withTimeout<T>(milliseconds: number | undefined, signal: AbortSignal, clock: Clock, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  if (milliseconds === undefined) return work(signal);
  const limit = new AbortController();
  const stop = new AbortController();
  const timeout = new BakeError({ code: 'StepTimeout', message: `it took longer than ${milliseconds} ms`, hint: 'raise its timeout, or find out what it waits for in the lines above' });
  clock.sleep(milliseconds, stop.signal).then(() => limit.abort(timeout), () => {});
  try {
    return await work(AbortSignal.any([signal, limit.signal]));
  } catch (error) {
    throw limit.signal.aborted && !signal.aborted && !(error instanceof NotUndone) ? timeout : error;
  } finally {
    stop.abort();
  }
}

function describe(error: unknown, { step }: StepState, lines: readonly string[]): BakeError {
  const failure = BakeError.from(error);
  return failure.with({ construct: failure.construct ?? step.id, location: failure.location ?? step.source, output: failure.output.length > 0 ? failure.output : [...lines] });
}

function question(failure: BakeError): Question {
  return {
    id: 'step.failed',
    message: `${failure.construct} failed: ${failure.message}`,
    choices: [{ key: 'cleanup', label: 'clean up' }, { key: 'keep', label: 'keep everything as it is' }, { key: 'retry', label: 'try the step again' }],
    fallback: 'cleanup',
  };
}

/** Whether a JSON value still has a ref in it. */
export function hasRef(value: Json): boolean {
  if (Array.isArray(value)) return (value as readonly Json[]).some(hasRef);
  return isJsonObject(value) && ('$ref' in value || Object.values(value).some(hasRef));
}
