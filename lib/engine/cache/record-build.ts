import type { Artifact } from '../../core/artifact.js';
import type { JsonObject } from '../../core/json.js';
import type { Registry } from '../registry.js';
import type { BuildState, StepState } from '../run-state.js';
import type { EngineServices } from '../services.js';
import { tokenOf } from '../step-context.js';
import { type BuildRecord, type BuildRecords, type Commit, recordName } from './build-records.js';
import { type Fingerprint, outcomeKey } from './fingerprints.js';

export interface RecordRequest {
  readonly build: BuildState;
  /** Undefined if it does not follow from its steps, because one was given up. */
  readonly prints: ReadonlyMap<StepState, Fingerprint> | undefined;
  readonly outputs: ReadonlyMap<string, JsonObject>;
  readonly records: BuildRecords;
  readonly commit: Commit | undefined;
}

/** Whether the step made something that a build that succeeds is there for. */
export function isResult({ step, build }: StepState, registry: Registry): boolean {
  return (step.lifetime === 'artifact' && !registry.passesOn(step.kind) && !registry.isPart(step.kind)) || (step.lifetime === 'none' && build.plan.artifact.$ref === `${step.id}#artifact`);
}

/** Writes down what a build that has succeeded has made, or has found as it was. */
export async function recordBuild({ build, prints, outputs, records, commit }: RecordRequest, { run, clock, masker, registry }: EngineServices): Promise<void> {
  const now = clock.now();
  for (const state of build.steps) {
    const { step } = state;
    const given = masker.value(outputs.get(step.id) ?? {});
    if (state.status !== 'done' || given['artifact'] === undefined || !isResult(state, registry)) continue;
    const print = prints?.get(state);
    const outcome = print === undefined || print.unknown !== undefined ? undefined : outcomeKey(print, state);
    const token = tokenOf(run.id, step.id);
    const name = recordName(outcome, token);
    const last = { lastRun: run.id, lastAt: now };
    const before = state.isCached ? await records.read(name) : undefined;
    const { image, id, platform, artifact } = { image: step.build.slice(0, step.build.lastIndexOf('/')), ...build.plan };
    await records.write(name, before === undefined ? {
      image, build: id, platform, step: step.id, kind: step.kind, isMain: artifact.$ref === `${step.id}#artifact`, run: run.id, token, at: now, ...last,
      milliseconds: build.startedAt === undefined ? 0 : now - build.startedAt, outputs: given as BuildRecord['outputs'], artifact: given['artifact'] as BuildRecord['artifact'],
      parents: masker.value(parentsOf(build, outputs, registry)) as BuildRecord['parents'],
      ...(outcome === undefined ? {} : { fingerprint: print!.hex }), ...(commit === undefined ? {} : { commit }),
    } : { ...before, ...last });
  }
}

/** The digest of an artifact, where it has one. */
export function digestOf({ id, data }: Pick<Artifact, 'id' | 'data'>): string | undefined {
  if (typeof data['digest'] === 'string' && data['digest'] !== '') return data['digest'];
  return /^sha256:[0-9a-f]{64}$/.test(id) ? id : undefined;
}

function parentsOf(build: BuildState, outputs: ReadonlyMap<string, JsonObject>, registry: Registry): BuildRecord['parents'] {
  const parents = new Map<string, BuildRecord['parents'][number]>();
  for (const state of build.steps) {
    for (const need of state.needs) {
      const artifact = outputs.get(need.step.id)?.['artifact'] as Artifact | undefined;
      if (need.build === build || artifact === undefined) continue;
      const digest = digestOf(artifact);
      parents.set(need.step.id, { build: need.build.plan.id, id: artifact.id, ...(digest === undefined ? {} : { digest }) });
    }
    const { reference, url, digest, id: own } = (registry.kind(state.step.kind).lookup === undefined ? undefined : outputs.get(state.step.id)) ?? {};
    if (state.step.role !== 'source' || typeof digest !== 'string') continue;
    const id = [reference, url].find((text) => typeof text === 'string') ?? state.step.title;
    const known = digest === '' ? own : digest;
    parents.set(state.step.id, { id: id as string, ...(typeof known === 'string' ? { digest: known } : {}) });
  }
  return [...parents.values()];
}
