import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BakeError } from '../core/bake-error.js';
import type { Connection } from '../core/communicator.js';
import type { BuildSummary, EventBody, Leftover } from '../core/events.js';
import type { JsonObject } from '../core/json.js';
import type { Plan } from '../plan/plan.js';
import { attemptStep, factsOf, StepFailed } from './attempt-step.js';
import { isLookup, summaryOf } from './build-summary.js';
import { BuildCache, type RunCache } from './cache/build-cache.js';
import type { Decision } from './cache/decide.js';
import type { MadeElsewhere } from './cache/made-once.js';
import { spareSteps } from './cache/spare-steps.js';
import { Connections } from './connections.js';
import type { StepContext } from './handler.js';
import { keptReason } from './kept-machine.js';
import { Gate } from './limits.js';
import { type LostMachine, lostMachine, takeBack } from './lost-machine.js';
import { resolveSpec } from './resolve-spec.js';
import { leftoverOf, releaseWithRetry, reportOf } from './resources.js';
import { ResumePoints } from './resume-points.js';
import { type BuildState, isOver, isSettled, makeRunState, type StepState } from './run-state.js';
import { type EngineServices, notifier } from './services.js';
import { makeStepContext, type StepFacts, tokenOf } from './step-context.js';

export interface RunRequest {
  readonly plans: readonly Plan[];
  /** Build ids, with those that they need. */
  readonly builds: ReadonlySet<string>;
  readonly onError: 'cleanup' | 'keep' | 'ask';
  /** Builds at once. @default - all */
  readonly parallel?: number;
  /** Steps of the cost `cpu` at once. */
  readonly cores: number;
  readonly signal: AbortSignal;
  /** Where to look for what earlier runs left. @default - everything is carried out */
  readonly cache?: RunCache;
  /** Ids of steps of which the run only uses what earlier ones left: a build that would have to carry one out fails. @default - none */
  readonly untouched?: ReadonlySet<string>;
}

export interface RunOutcome {
  readonly status: 'succeeded' | 'failed' | 'cancelled';
  readonly builds: readonly BuildSummary[];
  readonly leftovers: readonly Leftover[];
}

/** Carries out plans. The journal is open and has its first entry; it is closed by the caller. */
export function executeRun(request: RunRequest, services: EngineServices): Promise<RunOutcome> {
  return new Run(request, services).execute();
}

/**
 * One loop: whenever something ends, all that has become possible is started. A step is possible when what it needs is
 * done; a release when nothing that is alive needs the thing any more.
 */
class Run {
  readonly #request: RunRequest;
  readonly #services: EngineServices;
  readonly #builds: readonly BuildState[];
  readonly #steps: ReadonlyMap<string, StepState>;
  readonly #connections: Connections;
  readonly #notify: (body: EventBody) => void;
  readonly #outputs = new Map<string, JsonObject>();
  readonly #leftovers: Leftover[] = [];
  readonly #cleanup = new AbortController();
  readonly #gates: Readonly<Record<'cpu' | 'io', Gate>>;
  readonly #cache: BuildCache | undefined;
  readonly #resumePoints = new ResumePoints();
  #underWay = 0;
  #finish: () => void = () => {};

  constructor(request: RunRequest, services: EngineServices) {
    this.#request = request;
    this.#services = services;
    const { builds, steps } = makeRunState(request.plans, request.builds);
    this.#builds = builds;
    this.#steps = steps;
    this.#connections = new Connections(services.registry);
    this.#notify = this.#resumePoints.watching(notifier(services));
    this.#gates = { cpu: new Gate(request.cores), io: new Gate(Math.max(4, request.cores)) };
    this.#cache = request.cache === undefined ? undefined : new BuildCache(request.cache, { services, outputs: this.#outputs, signal: request.signal, notify: this.#notify, asks: request.onError === 'ask' });
  }

  async execute(): Promise<RunOutcome> {
    const { signal } = this.#request;
    const onAbort = () => this.#cancel();
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) this.#cancel();
    await new Promise<void>((finish) => {
      this.#finish = finish;
      this.#pump();
    });
    signal.removeEventListener('abort', onAbort);
    await this.#connections.closeAll();
    await this.#close();
    await this.#cache?.close(this.#leftovers.length === 0);
    const statuses = this.#builds.map((build) => build.status);
    const status = statuses.includes('cancelled') ? 'cancelled' : statuses.every((one) => one === 'succeeded') ? 'succeeded' : 'failed';
    return { status, builds: this.#builds.map((build) => this.#summary(build)), leftovers: this.#leftovers };
  }

  #pump(): void {
    for (const build of this.#builds) {
      if (build.status === 'waiting' && build.cache !== 'elsewhere' && this.#mayStart(build)) build.status = 'running';
      if (build.status === 'running' && this.#isConsultable(build)) this.#track(this.#consult(build));
      if (build.status === 'running') for (const state of build.steps) if (this.#isReady(state)) this.#track(this.#runStep(state));
      if (!build.ended && this.#hasEnded(build)) {
        build.ended = true;
        this.#track(this.#endBuild(build));
      }
    }
    for (const state of this.#steps.values()) if (this.#isReleasable(state)) this.#track(this.#release(state));
    if (this.#underWay > 0) return;
    // Builds that need something of each other, each for another step, cannot know all before they begin.
    const entangled = this.#builds.find((build) => build.status === 'running' && build.cache === 'unasked');
    if (entangled === undefined) return this.#finish();
    entangled.cache = 'known';
    this.#pump();
  }

  #track(work: Promise<void>): void {
    this.#underWay++;
    // A failure here is ours: it ends the build that it belongs to through `#runStep`, never the loop.
    work.finally(() => {
      this.#underWay--;
      this.#pump();
    }).catch(() => {});
  }

  #mayStart(build: BuildState): boolean {
    const { parallel } = this.#request;
    if (parallel === undefined) return true;
    // A build takes its place only when what it needs of others is there: it must not wait for a build that waits for the place.
    const isBusy = (other: BuildState) => other.status === 'running' || (isOver(other) && other.steps.some((state) => state.resource === 'releasing'));
    return this.#builds.filter(isBusy).length < parallel && build.steps.every((state) => state.needs.every((need) => need.build === build || need.status === 'done'));
  }

  #isReady(state: StepState): boolean {
    const mayStart = state.build.cache === 'known' || isLookup(state, this.#services.registry);
    return state.status === 'waiting' && mayStart && state.step.role !== 'error-cleanup' && state.needs.every((need) => need.status === 'done');
  }

  #isConsultable(build: BuildState): boolean {
    if (build.cache !== 'unasked') return false;
    return build.steps.every((state) => (!isLookup(state, this.#services.registry) || isSettled(state)) && state.needs.every((need) => need.build === build || need.status === 'done'));
  }

  /** Takes from earlier runs what is still so. */
  async #consult(build: BuildState): Promise<void> {
    build.cache = 'asked';
    try {
      const decision = await this.#cache?.consult(build);
      if (decision !== undefined && 'over' in decision) return this.#standAside(build, decision);
      if (decision !== undefined && !isOver(build)) this.#spare(build, decision);
      const missing = build.steps.find((state) => state.status === 'waiting' && state.from === undefined && this.#request.untouched?.has(state.step.id));
      if (missing !== undefined) throw new BakeError({ code: 'NoCheckpoint', message: `nothing that earlier runs left holds what ${missing.step.id} does`, hint: `run "bake run ${build.plan.id}", which does it` });
    } catch (error) {
      this.#failBuild(build, BakeError.from(error));
    }
    build.cache = 'known';
  }

  /** What it needs is being made: it waits for that without a place among those that build, and holds nothing. */
  #standAside(build: BuildState, { over, ...event }: MadeElsewhere): void {
    if (isOver(build)) return;
    Object.assign(build, { status: 'waiting', cache: 'elsewhere' });
    this.#announce(build);
    this.#notify(event);
    this.#track(over().then(() => { build.cache = 'unasked'; }));
  }

  #spare(build: BuildState, decision: Decision): void {
    this.#announce(build);
    const after = this.#resumePoints.decided(build, decision);
    if (after !== undefined) this.#notify({ type: 'build.resumed', build: build.plan.id, after });
    spareSteps(build, decision, this.#outputs, this.#notify);
  }

  #announce(build: BuildState): void {
    if (build.startedAt !== undefined) return;
    build.startedAt = this.#services.clock.now();
    this.#notify({ type: 'build.started', build: build.plan.id, platform: build.plan.platform });
  }

  async #runStep(state: StepState): Promise<void> {
    const { step, build } = state;
    const { clock } = this.#services;
    const fields = { step: step.id, build: step.build, title: step.title };
    state.status = 'running';
    this.#announce(build);
    const startedAt = clock.now();
    const signal = AbortSignal.any([this.#request.signal, build.abort.signal]);
    try {
      await this.#attempt(state, signal, this.#request.onError === 'ask');
      state.milliseconds = clock.now() - startedAt;
      this.#notify({ type: 'step.succeeded', milliseconds: state.milliseconds, ...fields });
      await this.#cache?.stepDone(state);
      state.status = 'done';
    } catch (error) {
      if (!(error instanceof StepFailed)) {
        state.status = 'skipped';
        if (signal.aborted) this.#notify({ type: 'step.skipped', reason: this.#request.signal.aborted ? 'cancelled' : 'its build failed', ...fields });
        else this.#failBuild(build, BakeError.from(error));
        return;
      }
      const continued = step.policy?.continueOnError === true;
      if (error.lost !== undefined) return this.#replace(error.lost, error.reason);
      this.#notify({ type: 'step.failed', milliseconds: clock.now() - startedAt, error: reportOf(error.reason), continued, ...fields });
      if (continued) {
        state.status = 'done';
        this.#outputs.set(step.id, {});
        await this.#cache?.stepGaveUp(state);
        return;
      }
      state.status = 'failed';
      await this.#cache?.restoreFailed(state);
      this.#failBuild(build, error.reason, error.keep);
    }
  }

  #attempt(state: StepState, signal: AbortSignal, asks: boolean): Promise<void> {
    return attemptStep(state, {
      services: this.#services, connections: this.#connections, outputs: this.#outputs, notify: this.#notify, signal, asks,
      cleanupSignal: this.#cleanup.signal, admit: (kind, work) => (kind.cost === 'cpu' || kind.cost === 'io' ? this.#gates[kind.cost].run(work) : work()),
      lostMachine: () => lostMachine(state, this.#services, (step) => this.#context(step, signal)),
    });
  }

  /** The build goes on with another machine in the place of one that was lost. */
  async #replace(lost: LostMachine, error: BakeError): Promise<void> {
    const { machine, held, reason, again } = lost;
    takeBack(lost, this.#outputs);
    this.#notify({ type: 'machine.lost', reason, again: again.map(({ step }) => step.id), step: machine.step.id, build: machine.step.build, title: machine.step.title });
    for (const state of [...held, machine]) {
      await this.#release(state);
      if (state.resource === 'stuck') this.#failBuild(machine.build, error);
      else state.resource = 'none';
      state.status = isOver(machine.build) ? 'skipped' : 'waiting';
    }
  }

  #context(step: StepFacts, signal: AbortSignal): StepContext {
    return makeStepContext({ step, signal, services: this.#services, notify: this.#notify, connect: this.#connections.connect.bind(this.#connections, step.build) });
  }

  #failBuild(build: BuildState, error: BakeError, isKeepWished = false): void {
    if (isOver(build)) return;
    build.status = 'failed';
    build.error = error;
    build.abort.abort(new BakeError({ code: 'BuildFailed', message: 'the build failed' }));
    this.#skipRest(build, 'its build failed');
    if (isKeepWished || this.#request.onError === 'keep') this.#keep(build);
  }

  #keep(build: BuildState): void {
    for (const state of build.steps) if (state.resource === 'held' && !this.#services.registry.endsWithProcess(state.step.kind)) state.resource = 'kept';
  }

  /** Nothing more of the build is started, nor of the builds that need it. */
  #skipRest(build: BuildState, reason: string): void {
    for (const state of build.steps) {
      if (state.status !== 'waiting' || state.step.role === 'error-cleanup') continue;
      state.status = 'skipped';
      if (build.startedAt !== undefined) this.#notify({ type: 'step.skipped', reason, step: state.step.id, build: state.step.build, title: state.step.title });
    }
    const others = new Set(build.steps.flatMap((state) => state.dependents.map((dependent) => dependent.build)));
    for (const other of others) {
      if (other === build || isOver(other)) continue;
      const needsWhatIsMissing = other.steps.some((state) => state.status === 'waiting' && state.needs.some((need) => need.build === build && need.status !== 'done'));
      if (!needsWhatIsMissing) continue;
      other.status = 'skipped';
      other.error = new BakeError({ code: 'NeededBuildFailed', message: `it needs ${build.plan.id}, which did not succeed`, hint: 'correct that build first', construct: other.plan.id, location: other.plan.source });
      other.abort.abort(other.error);
      this.#skipRest(other, `${build.plan.id} did not succeed`);
    }
  }

  #cancel(): void {
    this.#notify({ type: 'run.cancelling', run: this.#services.run.id, reason: String((this.#request.signal.reason as Error | undefined)?.message ?? 'interrupted') });
    for (const build of this.#builds) {
      if (isOver(build)) continue;
      build.status = 'cancelled';
      this.#skipRest(build, 'cancelled');
    }
    this.#pump();
  }

  #hasEnded(build: BuildState): boolean {
    return build.status !== 'waiting' && build.steps.every((state) => state.step.role === 'error-cleanup' || isSettled(state));
  }

  async #endBuild(build: BuildState): Promise<void> {
    if (build.status === 'running') {
      try {
        await this.#services.journal.append({ type: 'build.succeeded', build: build.plan.id, at: this.#services.clock.now() }, 'durable');
        build.status = 'succeeded';
        await this.#cache?.buildDone(build);
      } catch (error) {
        this.#failBuild(build, BakeError.from(error));
      }
    }
    await this.#cache?.buildEnded(build).catch(() => {}); // only for telling what is new next time
    const errorCleanups = build.steps.filter((state) => state.step.role === 'error-cleanup');
    if (build.status === 'failed') await this.#runErrorCleanups(errorCleanups);
    for (const state of errorCleanups) if (state.status === 'waiting') state.status = 'skipped';
    if (build.steps.some((state) => state.resource === 'kept')) await this.#services.journal.append({ type: 'build.kept', build: build.plan.id, at: this.#services.clock.now() }, 'eventual').catch(() => {});
    build.mayRelease = true;
    build.endedAt = this.#services.clock.now();
    this.#notify({ type: 'build.finished', ...this.#summary(build) });
  }

  /** They look at what went wrong; that they fail too changes nothing. */
  async #runErrorCleanups(states: readonly StepState[]): Promise<void> {
    for (const state of states) {
      if (!state.needs.every((need) => need.status === 'done')) continue;
      const fields = { step: state.step.id, build: state.step.build, title: state.step.title };
      const startedAt = this.#services.clock.now();
      state.status = 'running';
      try {
        await this.#attempt(state, this.#request.signal, false);
        state.status = 'done';
        this.#notify({ type: 'step.succeeded', milliseconds: this.#services.clock.now() - startedAt, ...fields });
      } catch (error) {
        state.status = 'failed';
        const reason = error instanceof StepFailed ? error.reason : error;
        this.#notify({ type: 'step.failed', milliseconds: this.#services.clock.now() - startedAt, error: reportOf(reason), continued: true, ...fields });
      }
    }
  }

  #isReleasable(state: StepState): boolean {
    if (state.resource !== 'held') return false;
    const { build, step } = state;
    const isTemporary = step.lifetime === 'run' || (build.status !== 'succeeded' && isOver(build));
    if (!isTemporary || (isOver(build) && !build.mayRelease)) return false;
    return state.dependents.every((dependent) => isSettled(dependent) && !this.#standsOn(dependent, state));
  }

  /** Whether a dependent is a thing itself that is still there and will go. What is to outlive the run needs nothing of it: a machine need not stay while its image is copied. */
  #standsOn(dependent: StepState, { step }: StepState): boolean {
    if (dependent.resource === 'releasing') return true;
    return dependent.resource === 'held' && (dependent.step.lifetime === 'run' || (step.lifetime === 'artifact' && dependent.build.status !== 'succeeded'));
  }

  async #release(state: StepState): Promise<void> {
    const { step } = state;
    const services = this.#services;
    const fields = { step: step.id, build: step.build, title: step.title };
    state.resource = 'releasing';
    const isQuiet = !services.registry.owns(step.kind);
    if (!isQuiet) this.#notify({ type: 'release.started', ...fields });
    const startedAt = services.clock.now();
    const token = tokenOf(services.run.id, step.id);
    try {
      if (state.handle !== undefined && 'connection' in state.handle) await this.#connections.close(step.build, this.#resolved(state.handle['connection'] as Connection));
      const loaded = await services.registry.handler(step.kind);
      if (loaded.type === 'resource' && state.handle !== undefined) {
        await releaseWithRetry(loaded.handler, state.handle, this.#context(factsOf(state), this.#cleanup.signal));
      }
      await services.journal.append({ type: 'resource.released', step: step.id, at: services.clock.now() }, 'eventual');
      state.resource = 'released';
      if (!isQuiet) this.#notify({ type: 'release.succeeded', milliseconds: services.clock.now() - startedAt, ...fields });
    } catch (error) {
      state.resource = 'stuck';
      this.#leftovers.push(leftoverOf(factsOf(state), token, services.masker.text(BakeError.from(error).message)));
      this.#notify({ type: 'release.failed', error: reportOf(error), ...fields });
    }
  }

  /** As the steps that use it see it: with the values of its refs and secrets. */
  #resolved(connection: Connection): Connection {
    const { secrets, run } = this.#services;
    return resolveSpec(connection, { outputs: this.#outputs, secret: (secret) => secrets.resolve(secret), assets: run.assets }) as Connection;
  }

  async #close(): Promise<void> {
    const services = this.#services;
    for (const state of this.#steps.values()) {
      const token = tokenOf(services.run.id, state.step.id);
      const isListed = this.#leftovers.some((leftover) => leftover.token === token);
      const isArtifact = state.step.lifetime === 'artifact' && state.build.status === 'succeeded';
      if (!services.registry.owns(state.step.kind)) continue;
      if (state.resource === 'kept') this.#leftovers.push(leftoverOf(factsOf(state), token, await keptReason(state, services)));
      else if ((state.resource === 'stuck' || state.resource === 'held') && !isListed && !isArtifact) this.#leftovers.push(leftoverOf(factsOf(state), token, 'it could not be removed'));
    }
    if (this.#leftovers.length > 0) return;
    await rm(join(services.run.folder, 'tmp'), { recursive: true, force: true });
    await services.journal.append({ type: 'run.closed', at: services.clock.now() }, 'eventual').catch(() => {});
  }

  #summary(build: BuildState): BuildSummary {
    return summaryOf(build, { services: this.#services, outputs: this.#outputs, resumePoints: this.#resumePoints });
  }
}
