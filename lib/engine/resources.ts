import type { ErrorReport, Leftover } from '../core/events.js';
import { BakeError } from '../core/bake-error.js';
import type { JsonObject } from '../core/json.js';
import type { ResourceHandler, StepContext } from './handler.js';
import type { Journal } from './journal.js';
import type { StepFacts } from './step-context.js';

/** First wait and number of tries for a release that fails; the wait doubles. */
const releaseRetry = { tries: 4, delay: 200 } as const;

export interface Acquisition {
  readonly step: StepFacts;
  readonly lifetime: 'run' | 'artifact';
  readonly needs: readonly string[];
  readonly handler: ResourceHandler<unknown, JsonObject>;
  /** Brings it into the world, stamped. */
  readonly make: () => Promise<JsonObject>;
  /** With its secrets. */
  readonly spec: unknown;
  /** Without. */
  readonly journalSpec: JsonObject;
  readonly context: StepContext;
  /** The same context with a signal that a cancelled run does not abort. */
  readonly cleanupContext: StepContext;
}

/**
 * Brings a resource into the world by the book: the intent is on disk before the effect, and a failed attempt is undone
 * before anybody hears of it.
 * @throws what the handler threw, with `leftover` true if undoing it failed
 */
export async function acquireResource(acquisition: Acquisition, journal: Journal): Promise<JsonObject> {
  const { step, lifetime, needs, make, journalSpec, context } = acquisition;
  const { id, kind, title, build, platform } = step;
  await journal.append({ type: 'resource.begun', step: id, kind, title, build, platform, lifetime, token: context.token, spec: journalSpec, needs, at: context.clock.now() }, 'durable');
  try {
    const handle = await make();
    await journal.append({ type: 'resource.acquired', step: id, handle, at: context.clock.now() }, 'durable');
    return handle;
  } catch (error) {
    await undo(acquisition, journal).catch((undoError: unknown) => { throw new NotUndone(error, BakeError.from(undoError)); });
    throw error;
  }
}

/** An acquisition failed and what it left could not be removed. */
export class NotUndone extends Error {
  readonly original: unknown;
  readonly reason: BakeError;

  constructor(original: unknown, reason: BakeError) {
    super('an acquisition could not be undone');
    this.original = original;
    this.reason = reason;
  }
}

async function undo({ step, handler, spec, cleanupContext }: Acquisition, journal: Journal): Promise<void> {
  const handle = await findSettled(handler, spec, cleanupContext);
  if (handle !== undefined) await releaseWithRetry(handler, handle, cleanupContext);
  await journal.append({ type: 'resource.released', step: step.id, at: cleanupContext.clock.now() }, 'eventual');
}

/**
 * Looks for what a token left behind. "Not found" counts only after the platform's settle time from now on: the effect may
 * have come at the very end of an attempt, long after its intent.
 */
export async function findSettled(handler: ResourceHandler<unknown, JsonObject>, spec: unknown, context: StepContext): Promise<JsonObject | undefined> {
  const deadline = context.clock.now() + (handler.settle ?? 0);
  for (let delay = 50; ; delay = Math.min(delay * 2, 2_000)) {
    const left = deadline - context.clock.now(); // before the look: only one that began after the time says no
    const handle = await handler.find(context.token, spec, context);
    if (handle !== undefined || left <= 0) return handle;
    await context.clock.sleep(Math.min(delay, left), context.signal);
  }
}

export async function releaseWithRetry(handler: ResourceHandler<unknown, JsonObject>, handle: JsonObject, context: StepContext): Promise<void> {
  for (let attempt = 1, delay: number = releaseRetry.delay; ; attempt++, delay *= 2) {
    try {
      return await handler.release(handle, context);
    } catch (error) {
      if (attempt >= releaseRetry.tries) throw error;
      await context.clock.sleep(delay, context.signal);
    }
  }
}

export function leftoverOf(step: StepFacts, token: string, reason: string): Leftover {
  return { step: step.id, kind: step.kind, token, title: step.title, reason };
}

/** An error as events carry it. */
export function reportOf(error: unknown): ErrorReport {
  const { code, message, source, construct, location, hint, output } = BakeError.from(error);
  return {
    code, message, source,
    ...(construct === undefined ? {} : { construct }), ...(location === undefined ? {} : { location }),
    ...(hint === undefined ? {} : { hint }), ...(output.length === 0 ? {} : { output }),
  };
}
