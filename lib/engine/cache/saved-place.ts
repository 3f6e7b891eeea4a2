import type { JsonObject } from '../../core/json.js';
import type { SavedPlace } from '../handler.js';
import type { StepState } from '../run-state.js';
import type { Checkpoint, CheckpointStore } from './checkpoint-store.js';

/** The step's name in its build: `/Container`. */
export function nameIn({ step }: StepState): string {
  return step.id.slice(step.build.length);
}

/** Where a step's part of a checkpoint is, with all that it stands on. */
export async function placeOf(checkpoint: Checkpoint, state: StepState, store: CheckpointStore): Promise<SavedPlace> {
  const { key, folder, parent, states } = checkpoint;
  const above = parent === undefined ? undefined : await store.peek(parent);
  const saved: JsonObject = states[nameIn(state)]?.saved ?? {};
  return { key, folder, home: folder, saved, ...(above === undefined ? {} : { parent: await placeOf(above, state, store) }) };
}
