import { createHmac } from 'node:crypto';
import type { Artifact } from '../../core/artifact.js';
import { type Json, type JsonObject, sha256 } from '../../core/json.js';
import { fingerprintOf, identifyingSpec } from '../../plan/fingerprint.js';
import { walkLate } from '../../plan/late.js';
import { parseRef, pick, runStepId } from '../../plan/plan.js';
import { hasRef } from '../attempt-step.js';
import type { StepContext } from '../handler.js';
import { resolveSpec } from '../resolve-spec.js';
import type { StepState } from '../run-state.js';
import type { EngineServices } from '../services.js';
import type { FileDigests } from './file-digests.js';

/** What a step's effect follows from. Equal fingerprints mean equal effects; the opposite need not hold. */
export interface Fingerprint {
  readonly hex: string;
  /** What went into it, for saying what has changed. */
  readonly inputs: JsonObject;
  /** Why the step, or one before it, cannot be taken from a cache; its fingerprint is then another one in each run. */
  readonly unknown?: string;
  /** What an earlier run left is not to be used, of this step or one before it. */
  readonly fresh: boolean;
}

/** Names what one step gave: another step that does the same is carried out as well. */
export function outcomeKey({ hex }: Fingerprint, { step }: StepState): string {
  return sha256(`${hex} ${step.id}`);
}

export interface FingerprintOptions {
  readonly services: EngineServices;
  readonly outputs: ReadonlyMap<string, JsonObject>;
  readonly digests: FileDigests;
  /** For secrets: without it nobody can try out what they may be. */
  readonly key: Uint8Array;
  /** Whether the user wants what an earlier run left of a step not to be used. */
  readonly isFresh: (state: StepState) => boolean;
  readonly contextOf: (state: StepState) => StepContext;
}

/** Computes fingerprints of a run's steps. What a step refers to in other builds, and the lookups of its own, must be done. */
export class Fingerprints {
  readonly #options: FingerprintOptions;
  readonly #known = new Map<string, Promise<Fingerprint>>();

  constructor(options: FingerprintOptions) {
    this.#options = options;
  }

  of(state: StepState): Promise<Fingerprint> {
    const known = this.#known.get(state.step.id);
    if (known !== undefined) return known;
    const made = this.#compute(state);
    this.#known.set(state.step.id, made);
    return made;
  }

  async #compute(state: StepState): Promise<Fingerprint> {
    const { step, needs } = state;
    const { services, outputs } = this.#options;
    const kind = services.registry.kind(step.kind);
    const version = kind.version;
    const said = outputs.get(step.id);
    if (kind.lookup !== undefined && said !== undefined) {
      const inputs: JsonObject = { kind: step.kind, version, is: Object.fromEntries(kind.lookup.map((name) => [name, said[name] ?? null])) };
      return { hex: fingerprintOf(inputs), inputs, fresh: false };
    }
    const own = needs.filter((need) => need.build === state.build);
    const before = new Map(await Promise.all(own.map(async (need) => [need.step.id, await this.of(need)] as const)));
    const others = new Map(await Promise.all(needs.filter((need) => need.build !== state.build).map(async (need) => [need.step.id, await this.#identity(need)] as const)));
    const outside = await this.#outside(state);
    const standing = new Map<string, Json>([...[...before].map(([id, { hex }]) => [id, hex] as const), ...others]);
    const telling = Object.fromEntries(Object.entries(step.spec).filter(([name]) => kind.whereabouts?.includes(name) !== true));
    const spec = identifyingSpec(telling, { ref: (ref) => this.#refIdentity(ref.$ref, standing), secret: (secret) => ({ secret: this.#keyed(services.secrets.resolve(secret)) }) });
    const refers = new Set<string>();
    walkLate(telling, (late) => { if ('$ref' in late) refers.add(parseRef(late).step); });
    const after = [...standing].filter(([id]) => !refers.has(id)).map(([, print]) => (typeof print === 'string' ? print : sha256(JSON.stringify(print)))).sort();
    const unknown = outside.unknown ?? this.#whyEachTime(state) ?? [...before.values()].find((print) => print.unknown !== undefined)?.unknown;
    const inputs: JsonObject = {
      kind: step.kind, version, spec, after,
      // Scripts are told by their environment what they build.
      ...(step.role === 'provisioner' ? { build: step.build, platform: state.build.plan.platform } : {}),
      ...(outside.facts === undefined ? {} : { facts: outside.facts }), ...(outside.files === undefined ? {} : { files: outside.files }),
      ...(step.policy?.cacheKey === undefined ? {} : { key: step.policy.cacheKey }), ...(unknown === undefined ? {} : { run: services.run.id }),
    };
    return { hex: fingerprintOf(inputs), inputs, fresh: this.#options.isFresh(state) || [...before.values()].some((print) => print.fresh), ...(unknown === undefined ? {} : { unknown }) };
  }

  #whyEachTime({ step }: StepState): string | undefined {
    if (step.policy?.cache === false) return 'it has cache: false';
    if (step.policy?.cache === undefined && this.#options.services.registry.kind(step.kind).cache === false) return 'it is carried out in each run, unless it has cache: true';
    return undefined;
  }

  #refIdentity(ref: string, standing: ReadonlyMap<string, Json>): Json {
    const { step, output, path } = parseRef({ $ref: ref });
    if (step === runStepId) return this.#options.services.run.id;
    return { of: standing.get(step) ?? step, output: [output, ...path].join('.') };
  }

  /** Of what another build has made: its content, whatever it was made of. */
  async #identity({ step, build }: StepState): Promise<Json> {
    const said = this.#options.outputs.get(step.id);
    const artifact = said?.['artifact'] as Artifact | undefined;
    if (artifact === undefined) return pick(said, []) ?? step.id;
    if (artifact.files.length === 0) return { type: artifact.type, id: artifact.id };
    const files = await Promise.all(artifact.files.map((file) => file['sha256'] ?? this.#options.digests.of(file.path)));
    if (files.every((digest) => digest !== undefined)) return { type: artifact.type, files: files as readonly Json[], data: artifact.data };
    return { type: artifact.type, id: artifact.id, of: (await this.of(build.steps.find((other) => other.step.id === step.id)!)).hex };
  }

  async #outside(state: StepState): Promise<{ readonly files?: Json; readonly facts?: JsonObject; readonly unknown?: string }> {
    const { services, digests, contextOf } = this.#options;
    const { handler } = await services.registry.handler(state.step.kind);
    if (handler.reads === undefined) return {};
    const known = Object.entries(state.step.spec).filter(([, value]) => !hasRef(value));
    const resolution = { outputs: new Map<string, JsonObject>(), secret: services.secrets.resolve.bind(services.secrets), assets: services.run.assets };
    const spec = Object.fromEntries(known.map(([name, value]) => [name, resolveSpec(value, resolution)]));
    const { files, facts, unknown } = await handler.reads(spec, contextOf(state));
    const found = files === undefined ? undefined : await Promise.all(files.map(async (path): Promise<Json> => await digests.of(path) ?? null));
    return { ...(found === undefined ? {} : { files: found }), ...(facts === undefined ? {} : { facts }), ...(unknown === undefined ? {} : { unknown }) };
  }

  #keyed(value: string): string {
    return createHmac('sha256', this.#options.key).update(value).digest('hex');
  }
}
