import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BakeError } from '../core/bake-error.js';
import type { Leftover } from '../core/events.js';
import { isJsonObject, type Json, type JsonObject } from '../core/json.js';
import { isJoin, isSecret } from '../plan/late.js';
import type { CheckpointStore } from './cache/checkpoint-store.js';
import { settleCheckpoint } from './cache/save-checkpoint.js';
import { Connections } from './connections.js';
import type { Ledger, LedgerItem } from './ledger.js';
import { findSettled, leftoverOf, releaseWithRetry, reportOf } from './resources.js';
import { type EngineServices, notifier } from './services.js';
import { makeStepContext, type StepFacts } from './step-context.js';

export interface RecoverOptions {
  readonly ledger: Ledger;
  readonly services: EngineServices;
  readonly checkpoints: CheckpointStore;
  readonly signal: AbortSignal;
  /** Ends child processes of the dead run: they may still be writing to what is to be removed. */
  readonly endProcesses: () => Promise<void>;
}

export interface Recovered {
  readonly removed: readonly Leftover[];
  readonly left: readonly Leftover[];
}

/**
 * Settles the books of a run whose process is gone. It may itself be killed anywhere and started again: every release is
 * idempotent, and what is released is written down after the fact.
 */
export async function recoverRun({ ledger, services, checkpoints, signal, endProcesses }: RecoverOptions): Promise<Recovered> {
  const removed: Leftover[] = [];
  const left: Leftover[] = [];
  const notify = notifier(services);
  const connections = new Connections(services.registry);
  await endProcesses();
  for (const item of ledger.owed) {
    const { begun } = item;
    const step: StepFacts = { id: begun.step, kind: begun.kind, title: begun.title, build: begun.build, buildName: begun.build.split('/').at(-1) ?? '', platform: begun.platform };
    const fields = { step: step.id, build: step.build, title: step.title };
    const isQuiet = !services.registry.owns(begun.kind);
    if (!isQuiet) notify({ type: 'release.started', ...fields });
    const startedAt = services.clock.now();
    try {
      const context = makeStepContext({ step, signal, services, notify, connect: connections.connect.bind(connections, step.build) });
      if (await releaseItem(item, services, context) && !isQuiet) removed.push(leftoverOf(step, begun.token, 'removed'));
      await services.journal.append({ type: 'resource.released', step: begun.step, at: services.clock.now() }, 'durable');
      if (!isQuiet) notify({ type: 'release.succeeded', milliseconds: services.clock.now() - startedAt, ...fields });
    } catch (error) {
      signal.throwIfAborted();
      left.push(leftoverOf(step, begun.token, services.masker.text(BakeError.from(error).message)));
      notify({ type: 'release.failed', error: reportOf(error), ...fields });
    }
  }
  await connections.closeAll();
  for (const { key, kinds } of ledger.checkpoints) await settleCheckpoint(key, kinds, { checkpoints, services, signal });
  if (left.length === 0) {
    await rm(join(services.run.folder, 'tmp'), { recursive: true, force: true });
    await services.journal.append({ type: 'run.closed', at: services.clock.now() }, 'durable');
    await checkpoints.usedBy({ run: services.run.id, project: services.run.project }).release(signal);
  }
  return { removed, left };
}

async function releaseItem({ begun, handle }: LedgerItem, services: EngineServices, context: ReturnType<typeof makeStepContext>): Promise<boolean> {
  const loaded = await services.registry.handler(begun.kind);
  if (loaded.type !== 'resource') throw new BakeError({ code: 'JournalCorrupt', source: 'platform', message: `${begun.kind} is not a resource, but the journal says so`, hint: 'run "bake clean --scan"' });
  const found = handle ?? (await findSettled(loaded.handler, withoutSecrets(begun.spec), context));
  if (found === undefined) return false;
  await releaseWithRetry(loaded.handler, found, context);
  return true;
}

/** The spec as a dead run left it: secrets are out of reach, and finding and removing must do without. */
function withoutSecrets(spec: JsonObject): JsonObject {
  const strip = (value: Json): Json | undefined => {
    if (isSecret(value) || isJoin(value)) return undefined;
    if (Array.isArray(value)) return (value as readonly Json[]).map(strip).filter((item) => item !== undefined);
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, strip(member)] as const).filter((entry): entry is [string, Json] => entry[1] !== undefined));
  };
  return strip(spec) as JsonObject;
}
