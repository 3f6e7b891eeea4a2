import { BakeError } from '../../core/bake-error.js';
import type { EventBody } from '../../core/events.js';
import { canonicalJson, type JsonObject } from '../../core/json.js';
import { factsOf } from '../attempt-step.js';
import type { StepContext } from '../handler.js';
import type { BuildState, StepState } from '../run-state.js';
import type { EngineServices } from '../services.js';
import { makeStepContext, tokenOf } from '../step-context.js';
import type { BuildRecords, Commit } from './build-records.js';
import type { Checkpoint, CheckpointStore } from './checkpoint-store.js';
import { decide, type Decision, isRecordable } from './decide.js';
import type { FileDigests } from './file-digests.js';
import { type Fingerprint, Fingerprints, outcomeKey } from './fingerprints.js';
import type { LastBuilds, LastStep } from './last-builds.js';
import { type MadeElsewhere, MadeOnce } from './made-once.js';
import type { Makers } from './makers.js';
import type { OutcomeStore } from './outcome-store.js';
import { pruneIfOver } from './prune.js';
import { recordBuild } from './record-build.js';
import { discardCheckpoint, saveCheckpoint } from './save-checkpoint.js';

/** Where a run looks for what earlier runs left, and leaves what later ones may use. */
export interface RunCache {
  readonly checkpoints: CheckpointStore;
  readonly makers: Makers;
  readonly outcomes: OutcomeStore;
  readonly lastBuilds: LastBuilds;
  readonly digests: FileDigests;
  /** For the fingerprints of secrets. */
  readonly key: Uint8Array;
  /** Ids of steps of which nothing that an earlier run left is used. */
  readonly fresh: ReadonlySet<string>;
  /** After which steps a machine is saved: after each, where it is worth its time, or never. */
  readonly save: 'all' | 'auto' | 'none';
  /** Where what builds have made is written down. @default - nowhere */
  readonly records?: BuildRecords;
  /** The project's commit, now. @default - it has none */
  readonly commit?: () => Promise<Commit | undefined>;
  /** Bytes that the checkpoints may take, but for those that runs use. @default - any */
  readonly limit?: number;
}

export interface BuildCacheHost {
  readonly services: EngineServices;
  readonly outputs: ReadonlyMap<string, JsonObject>;
  readonly signal: AbortSignal;
  readonly notify: (body: EventBody) => void;
  /** Whether a build may stop to ask the user something, for as long as that takes. @default false */
  readonly asks?: boolean;
}

/** A checkpoint is worth its time if going on from it saves this many times as much. */
const worth = 4;
/** Milliseconds that a build's first checkpoint is taken to cost, and that any costs at least. */
const [firstCost, leastCost] = [250, 100];

/** Milliseconds that a run waits at its end for checkpoints to go. */
const longestPruning = 5_000;

/** What the cache knows of one build while it is carried out. */
interface Progress {
  readonly prints: ReadonlyMap<StepState, Fingerprint>;
  /** When it was looked up what there is. */
  readonly since: number;
  /** The steps that make the machine; undefined if it cannot be saved. */
  readonly closure: readonly StepState[] | undefined;
  /** What this run has brought the machine back from, or has saved of it last. */
  last: Checkpoint | undefined;
  /** The last step that is as it was in the build before, if the one after it is not: the user may be at work on that one. */
  readonly edge: StepState | undefined;
  /** When what is in the machine was carried out, by fingerprint. */
  readonly ranAt: Map<string, number>;
  /** Milliseconds of work that no checkpoint holds. */
  unsaved: number;
  /** All milliseconds of work that are in the machine. */
  total: number;
  /** Milliseconds that a checkpoint costs. */
  cost: number;
}

/** Finds what earlier runs left that a build can use, and keeps what this one makes for later ones. */
export class BuildCache {
  readonly #cache: RunCache;
  readonly #host: BuildCacheHost & { readonly contextOf: (state: StepState) => StepContext };
  readonly #fingerprints: Fingerprints;
  readonly #builds = new Map<BuildState, Progress>();
  readonly #once: MadeOnce;
  #commit: Promise<Commit | undefined> | undefined;
  #hasSaved = false;

  constructor(cache: RunCache, host: BuildCacheHost) {
    const { services, signal, notify } = host;
    const connect = () => Promise.reject(new Error('a cache works without a connection'));
    const run = { run: services.run.id, project: services.run.project };
    this.#cache = { ...cache, checkpoints: cache.checkpoints.usedBy(run) };
    this.#host = { ...host, contextOf: (state) => makeStepContext({ step: factsOf(state), signal, services, notify, connect }) };
    this.#once = new MadeOnce({ makers: cache.makers, run, signal, mayPromise: cache.save !== 'none' && host.asks !== true });
    this.#fingerprints = new Fingerprints({ ...this.#host, digests: cache.digests, key: cache.key, isFresh: ({ step }) => cache.fresh.has(step.id) });
  }

  /** What would come of it now; changes nothing. */
  async look(build: BuildState): Promise<{ readonly decision: Decision; readonly prints: ReadonlyMap<StepState, Fingerprint> }> {
    const prints = await this.#prints(build);
    return { prints, decision: await decide(build, prints, await this.#closure(build), { ...this.#host, ...this.#cache, onlyLooks: true }) };
  }

  /**
   * To be called when the lookups of the build, and what it needs of other builds, are done; and once more when that is over
   * which another build makes for it.
   */
  async consult(build: BuildState): Promise<Decision | MadeElsewhere> {
    const since = this.#host.services.clock.now();
    const prints = await this.#prints(build);
    const closure = await this.#closure(build);
    let decision = await decide(build, prints, closure, { ...this.#host, ...this.#cache });
    const ahead = await this.#ahead(build, prints, closure, decision);
    const elsewhere = await this.#once.begin(build, ahead, decision.checkpoint?.key);
    if (elsewhere !== undefined) return elsewhere;
    // Saved since the first look, by one who was at work then and is not any more.
    const isSavedNow = (await Promise.all([...ahead.keys()].map((key) => this.#cache.checkpoints.peek(key)))).some((one) => one !== undefined);
    if (isSavedNow) decision = await decide(build, prints, closure, { ...this.#host, ...this.#cache });
    const { checkpoint, ranAt } = decision;
    // What the user commits while the build runs is not in it.
    if (build.steps.some((state) => state.status === 'waiting' && !decision.done.has(state) && !decision.idle.has(state))) this.#commit ??= this.#cache.commit?.().catch(() => undefined);
    this.#builds.set(build, { prints, since, closure, edge: await this.#edge(build, prints), last: checkpoint, ranAt: new Map(ranAt), unsaved: 0, total: checkpoint?.milliseconds ?? 0, cost: firstCost });
    return decision;
  }

  /** To be called when a step is done, before the next one starts. Never fails the build. */
  async stepDone(state: StepState): Promise<void> {
    const progress = this.#builds.get(state.build);
    if (progress === undefined) return;
    await this.#keep(state, progress);
    const print = progress.prints.get(state);
    if (print !== undefined) await this.#once.passed(state.build, print.hex);
  }

  async #keep(state: StepState, progress: Progress): Promise<void> {
    const { step, build, milliseconds } = state;
    if (progress.closure === undefined) return;
    const isEnd = step.role === 'provisioner' || step.id === build.plan.machine;
    if (!isEnd && !progress.closure.includes(state)) return;
    if (step.role === 'source' && progress.last !== undefined) return; // it was brought back
    progress.unsaved += milliseconds;
    progress.total += milliseconds;
    const print = progress.prints.get(state);
    if (print === undefined) return;
    progress.ranAt.set(print.hex, this.#host.services.clock.now());
    if (isEnd && print.unknown === undefined && await this.#isWorthIt(progress, state, print)) await this.#save(state, print, progress, progress.closure);
  }

  async #isWorthIt({ unsaved, cost, edge }: Progress, state: StepState, { hex }: Fingerprint): Promise<boolean> {
    const { save } = this.#cache;
    if (save !== 'auto' || unsaved >= worth * cost) return save !== 'none';
    // A bare machine is soon made, and others that start from it go on to something else.
    return unsaved >= cost && (state === edge || (state.step.role === 'provisioner' && await this.#once.isWanted(state.build, hex)));
  }

  /** What the build is to pass of that others may need, in order. */
  async #ahead(build: BuildState, prints: Progress['prints'], closure: Progress['closure'], { done, idle, restore }: Decision): Promise<ReadonlyMap<string, StepState>> {
    if (closure === undefined) return new Map();
    const last = (await this.#cache.lastBuilds.read(build.plan.id))?.steps;
    const start = last === undefined ? Infinity : closure.reduce((sum, { step }) => sum + (last[step.id]?.milliseconds ?? 0), 0);
    const chain = build.steps.filter((state) => {
      const print = prints.get(state);
      if (print === undefined || print.unknown !== undefined || print.fresh) return false;
      if (state.status !== 'waiting' || done.has(state) || idle.has(state) || restore.has(state)) return false;
      return state.step.role === 'provisioner' || (state.step.id === build.plan.machine && start >= worth * firstCost);
    });
    return new Map(chain.map((state) => [prints.get(state)!.hex, state]));
  }

  async #edge(build: BuildState, prints: Progress['prints']): Promise<StepState | undefined> {
    const last = (await this.#cache.lastBuilds.read(build.plan.id))?.steps ?? {};
    const isAsBefore = (state: StepState | undefined) => state !== undefined && last[state.step.id]?.hex === prints.get(state)?.hex;
    const chain = build.steps.filter(({ step }) => step.role === 'provisioner' || step.id === build.plan.machine);
    return chain.find((state, index) => isAsBefore(state) && index + 1 < chain.length && !isAsBefore(chain[index + 1]));
  }

  /** A step failed and the build goes on: what comes after it is not what its fingerprint says. */
  async stepGaveUp({ build }: StepState): Promise<void> {
    this.#builds.delete(build);
    await this.#once.giveUp(build);
  }

  /** To be called when a machine could not be brought back: what it was to come from is not used again. */
  async restoreFailed({ from, step, build }: StepState): Promise<void> {
    if (from === undefined) return;
    const kinds = build.steps.filter((state) => state.from !== undefined).map((state) => state.step.kind);
    await discardCheckpoint(from.key, kinds, { ...this.#host, checkpoints: this.#cache.checkpoints }).catch(() => {}); // the error that is told is that of the step
    this.#host.notify({ type: 'step.warned', code: 'CheckpointDropped', message: 'the checkpoint that it was to come from was thrown away', hint: 'run bake again: it starts earlier', step: step.id, build: step.build, title: step.title });
  }

  /** To be called when a build has succeeded: what it made can be used again. */
  async buildDone(build: BuildState): Promise<void> {
    const progress = this.#builds.get(build);
    const { services, outputs } = this.#host;
    const { run, clock, masker } = services;
    for (const state of build.steps) {
      const print = progress?.prints.get(state);
      if (progress === undefined || print === undefined || print.unknown !== undefined || state.status !== 'done' || state.isCached || !isRecordable(state, this.#host)) continue;
      const { id, kind, build: name } = state.step;
      const given = outputs.get(id) ?? {};
      if (canonicalJson(masker.value(given)) !== canonicalJson(given)) continue; // a value with a secret in it is not kept
      await this.#cache.outcomes.write(outcomeKey(print, state), {
        step: id, kind, build: name, run: run.id, token: tokenOf(run.id, id), at: clock.now(), milliseconds: state.milliseconds,
        outputs: given as Record<string, never>, ranAt: Object.fromEntries(progress.ranAt),
      });
    }
    const { records } = this.#cache;
    if (records !== undefined) await recordBuild({ build, prints: progress?.prints, outputs, records, commit: await this.#commit }, services);
  }

  /** To be called when the run is over. @param isOver whether nothing of it is left that may stand on checkpoints */
  async close(isOver: boolean): Promise<void> {
    const { checkpoints, limit } = this.#cache;
    const { services } = this.#host;
    const signal = AbortSignal.timeout(longestPruning);
    await this.#once.close();
    try {
      if (this.#hasSaved && limit !== undefined) await pruneIfOver({ checkpoints, services, signal, limit });
      if (isOver) await checkpoints.release(signal);
    } catch { /* what stays now goes with a later run, or with "bake prune" */ }
  }

  /** To be called when a build has ended, well or not: what is new next time is told by it. */
  async buildEnded(build: BuildState): Promise<void> {
    await this.#once.giveUp(build);
    const progress = this.#builds.get(build);
    if (progress === undefined) return;
    const { services: { clock, masker, registry, pins }, outputs } = this.#host;
    const before = await this.#cache.lastBuilds.read(build.plan.id);
    const steps: Record<string, LastStep> = {};
    for (const [state, { hex, inputs }] of progress.prints) {
      if (state.status !== 'done') continue;
      const { id, kind } = state.step;
      const said = registry.kind(kind).lookup === undefined ? undefined : outputs.get(id);
      const milliseconds = state.isCached || state.from !== undefined ? before?.steps[id]?.milliseconds ?? 0 : state.milliseconds;
      steps[id] = masker.value({ hex, inputs, milliseconds, ...(said === undefined ? {} : { said, pins: pins.usedBy(id) }) }) as LastStep;
    }
    await this.#cache.lastBuilds.write({ build: build.plan.id, at: clock.now(), steps });
  }

  async #save(state: StepState, { hex, fresh }: Fingerprint, progress: Progress, closure: readonly StepState[]): Promise<void> {
    const { services, signal, notify } = this.#host;
    const { checkpoints } = this.#cache;
    const startedAt = services.clock.now();
    try {
      const found = fresh ? undefined : await checkpoints.open(hex);
      if (found !== undefined && found.at >= progress.since) return; // another process was here first; an older one could not be used, such as one whose time is over
      const made = await saveCheckpoint({ state, key: hex, closure, last: progress.last, milliseconds: progress.total, ranAt: progress.ranAt }, { ...this.#host, checkpoints });
      if (made === undefined) return await this.#once.giveUp(state.build); // something runs in it
      progress.last = made;
      this.#hasSaved = true;
      progress.unsaved = 0;
      progress.cost = Math.max(leastCost, services.clock.now() - startedAt);
    } catch (error) {
      await this.#once.giveUp(state.build);
      if (signal.aborted || (BakeError.is(error) && error.code === 'CheckpointInUse')) return;
      const message = `no checkpoint could be saved: ${services.masker.text(BakeError.from(error).message)}`;
      notify({ type: 'step.warned', code: 'CheckpointFailed', message, hint: 'the build goes on; a later run starts earlier', step: state.step.id, build: state.step.build, title: state.step.title });
    }
  }

  async #prints(build: BuildState): Promise<ReadonlyMap<StepState, Fingerprint>> {
    const steps = build.steps.filter(({ step }) => step.role !== 'error-cleanup');
    return new Map(await Promise.all(steps.map(async (state) => [state, await this.#fingerprints.of(state)] as const)));
  }

  /** The steps that must be there for the machine; undefined if one of them cannot be brought back. */
  async #closure(build: BuildState): Promise<readonly StepState[] | undefined> {
    const machine = build.steps.find(({ step }) => step.id === build.plan.machine);
    if (machine === undefined) return undefined;
    const found = new Set<StepState>();
    const add = (state: StepState): void => {
      if (state.build !== build || found.has(state)) return;
      found.add(state);
      for (const need of state.needs) add(need);
    };
    add(machine);
    const { registry } = this.#host.services;
    const able = await Promise.all([...found].map(async ({ step }) => {
      const { lookup, atCheckpoint } = registry.kind(step.kind);
      if (lookup !== undefined || atCheckpoint !== undefined) return true;
      const loaded = await registry.handler(step.kind);
      return loaded.type === 'resource' && loaded.handler.checkpoint !== undefined;
    }));
    return able.every(Boolean) ? [...found] : undefined;
  }
}
