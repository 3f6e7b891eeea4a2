import type { EventBody } from '../../core/events.js';
import { canonicalJson, type JsonObject } from '../../core/json.js';
import type { StepContext } from '../handler.js';
import type { StepState } from '../run-state.js';
import type { EngineServices } from '../services.js';
import type { Checkpoint, CheckpointRecord, CheckpointStore, Filled } from './checkpoint-store.js';
import { nameIn, placeOf } from './saved-place.js';

export interface SaveRequest {
  /** The last step that is in the machine's state. */
  readonly state: StepState;
  /** The fingerprint of that. */
  readonly key: string;
  /** The machine's steps. */
  readonly closure: readonly StepState[];
  /** What the machine was brought back from, or saved in last. */
  readonly last: Checkpoint | undefined;
  /** What it took to carry out what is in it; milliseconds. */
  readonly milliseconds: number;
  readonly ranAt: ReadonlyMap<string, number>;
}

export interface SaveHost {
  readonly services: EngineServices;
  readonly checkpoints: CheckpointStore;
  readonly outputs: ReadonlyMap<string, JsonObject>;
  readonly signal: AbortSignal;
  readonly contextOf: (state: StepState) => StepContext;
  readonly notify: (body: EventBody) => void;
}

/** What is in a machine just now would not come back. */
class NotNow extends Error {}

/**
 * Saves a machine by the book: the intent is on disk before anything is made that is not in the checkpoint's own folder.
 * Undefined if it cannot be saved as it is now.
 */
export async function saveCheckpoint({ state, key, closure, last, milliseconds, ranAt }: SaveRequest, host: SaveHost): Promise<Checkpoint | undefined> {
  const { services, checkpoints, signal, notify, outputs, contextOf } = host;
  const { clock, registry, journal, masker } = services;
  const at = clock.now();
  const kindOf = ({ step }: StepState) => registry.kind(step.kind);
  const saving = closure.filter((each) => kindOf(each).atCheckpoint === undefined && kindOf(each).lookup === undefined);
  await journal.append({ type: 'checkpoint.begun', key, kinds: saving.map(({ step }) => step.kind), at }, 'durable');
  const made = await checkpoints.write(key, signal, async (folder): Promise<Filled> => {
    const states: Record<string, { kind: string; output?: JsonObject; saved?: JsonObject }> = {};
    const alone: string[] = [];
    for (const each of closure) if (kindOf(each).atCheckpoint === 'inside') states[nameIn(each)] = { kind: each.step.kind, output: withoutSecrets(outputs.get(each.step.id) ?? {}, masker) };
    for (const each of saving) {
      const loaded = await registry.handler(each.step.kind);
      if (loaded.type !== 'resource' || each.handle === undefined || loaded.handler.checkpoint === undefined) continue;
      const place = { key, folder, home: checkpoints.folderOf(key), ...(last === undefined ? {} : { parent: await placeOf(last, each, checkpoints) }) };
      const saved = await loaded.handler.checkpoint.save(each.handle, place, contextOf(each));
      if (saved === undefined) throw new NotNow();
      states[nameIn(each)] = { kind: each.step.kind, saved };
      alone.push(...loaded.handler.checkpoint.alone ?? []);
    }
    return {
      build: state.step.build, step: state.step.id, title: state.step.title, platform: state.build.plan.platform, project: services.run.project, at, milliseconds,
      ...(last === undefined ? {} : { parent: last.key }), states: states as CheckpointRecord['states'], ranAt: Object.fromEntries(ranAt), alone,
    };
  }).catch((error: unknown) => {
    if (error instanceof NotNow) return undefined;
    throw error;
  });
  await journal.append({ type: 'checkpoint.done', key, at: clock.now() }, 'eventual');
  if (made === undefined) return undefined;
  notify({ type: 'checkpoint.saved', milliseconds: clock.now() - at, bytes: made.bytes, step: state.step.id, build: state.step.build, title: state.step.title });
  return made;
}

export interface DiscardHost {
  readonly checkpoints: CheckpointStore;
  readonly services: Pick<EngineServices, 'clock' | 'exec' | 'registry'>;
  readonly signal: AbortSignal;
}

/** Removes a checkpoint, and what its handlers made outside of its folder. One that another run uses stays. */
export async function discardCheckpoint(key: string, kinds: Iterable<string>, { checkpoints, services, signal }: DiscardHost): Promise<void> {
  await checkpoints.locked(key, signal, async () => {
    if (await checkpoints.peek(key) !== undefined && (await checkpoints.usedByOthers()).has(key)) return;
    await checkpoints.remove(key);
    await discardOutside(key, kinds, services, signal);
  });
}

/** Settles a checkpoint whose writer died: it may be whole, or there may be a whole one of an earlier run. */
export async function settleCheckpoint(key: string, kinds: Iterable<string>, host: DiscardHost): Promise<void> {
  const { checkpoints, signal } = host;
  await checkpoints.locked(key, signal, () => checkpoints.removeHalf(key));
  if (await checkpoints.peek(key) === undefined) await discardCheckpoint(key, kinds, host);
}

/** Removes what handlers made outside of the folder of a checkpoint that is gone. Nobody may be writing it: see `CheckpointStore.locked`. */
export async function discardOutside(key: string, kinds: Iterable<string>, { clock, exec, registry }: DiscardHost['services'], signal: AbortSignal): Promise<void> {
  for (const kind of new Set(kinds)) {
    if (!registry.knows(kind)) continue;
    const loaded = await registry.handler(kind);
    if (loaded.type === 'resource') await loaded.handler.checkpoint?.discard?.(key, { signal, clock, exec, warn: () => {} });
  }
}

/** The kinds of the steps of which a checkpoint holds something. */
export function savedKinds({ states }: Pick<Checkpoint, 'states'>): readonly string[] {
  return Object.values(states).filter(({ saved }) => saved !== undefined).map(({ kind }) => kind);
}

/** A value with a secret in it is not kept; masked it would be another one. */
function withoutSecrets(value: JsonObject, masker: EngineServices['masker']): JsonObject {
  if (canonicalJson(masker.value(value)) !== canonicalJson(value)) throw new NotNow();
  return value;
}
