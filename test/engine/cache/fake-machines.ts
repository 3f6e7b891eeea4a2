// Contract of the fake machines: a machine's state is a text that starts as its base and to which each step adds a line; an
// image is the SHA-256 of that text. A checkpoint is the text in a file. A lookup says what a base is now. Each step takes ten
// seconds of the fake clock unless told, so that a checkpoint is always worth it. `order` names what was really carried out.
// A step of which `gates` has a promise, by the ids of its run and its own name (`r1 A`), is not done before that resolves.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type JsonObject, sha256 } from '../../../lib/core/json.js';
import type { Clock } from '../../../lib/core/ports.js';
import type { RunCache } from '../../../lib/engine/cache/build-cache.js';
import { BuildRecords } from '../../../lib/engine/cache/build-records.js';
import { CheckpointStore } from '../../../lib/engine/cache/checkpoint-store.js';
import { type BuildForecast, forecast, type ForecastRequest } from '../../../lib/engine/cache/forecast.js';
import { LastBuilds } from '../../../lib/engine/cache/last-builds.js';
import { Makers } from '../../../lib/engine/cache/makers.js';
import { OutcomeStore } from '../../../lib/engine/cache/outcome-store.js';
import type { Extension } from '../../../lib/engine/extension.js';
import type { ActionHandler, ResourceHandler } from '../../../lib/engine/handler.js';
import { Masker } from '../../../lib/engine/masker.js';
import { Registry } from '../../../lib/engine/registry.js';
import { executeRun, type RunOutcome } from '../../../lib/engine/run.js';
import { SecretStore } from '../../../lib/engine/secret-store.js';
import type { EngineServices } from '../../../lib/engine/services.js';
import type { BakeEvent } from '../../../lib/core/events.js';
import type { Plan, PlanBuild, PlanStep, StepPolicy } from '../../../lib/plan/plan.js';
import { defineStepKind } from '../../../lib/plan/step-kind.js';
import { Crash, fakeClock, fakeServices, FakeWorld, MemoryJournal, openJournal } from '../fake-world.js';

export interface Provisioning {
  readonly name: string;
  /** What it adds to the machine; may be a secret. */
  readonly text: unknown;
  readonly policy?: StepPolicy;
  readonly kind?: 'write' | 'mood' | 'other';
}

export interface FakeBuild {
  readonly image: string;
  /** The name of a base, or the build whose image it starts from. */
  readonly base: string | { readonly imageOf: string };
  readonly provisioners: readonly Provisioning[];
  /** Post-processors of the image. */
  readonly after?: readonly string[];
}

export interface RunMore {
  readonly fresh?: readonly string[];
  readonly cached?: boolean;
  readonly signal?: AbortSignal;
  readonly parallel?: number;
  readonly save?: RunCache['save'];
  readonly onError?: 'cleanup' | 'ask';
  readonly onEvent?: (event: BakeEvent) => void;
}

/** A world that runs share, with a cache in `folder`. */
export class FakeMachines {
  readonly clock: Clock = fakeClock();
  /** What each base is now. */
  readonly bases = new Map<string, string>([['debian', 'debian 1']]);
  readonly machines = new Map<string, string>();
  /** What stays: the ids of images. */
  readonly images = new Set<string>();
  readonly order: string[] = [];
  /** The names of steps that fail. */
  readonly failing = new Set<string>();
  readonly gates = new Map<string, Promise<void>>();
  version = 1;
  stepTime = 10_000;
  machineTime = 0;
  /** Something runs in every machine. */
  isBusy = false;
  /** Nobody can ask what images there are. */
  isAway = false;
  /** No machine can be brought back. */
  isForgetful = false;
  env: Record<string, string> = {};
  readonly #folder: string;
  #runs = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get checkpoints(): CheckpointStore {
    return new CheckpointStore({ folder: join(this.#folder, 'checkpoints'), clock: this.clock });
  }

  /** Who waits for another one looks all the time, while none passes: what the other one does takes what it takes. */
  get makers(): Makers {
    const clock: Clock = {
      now: () => this.clock.now(),
      sleep: async (_, signal) => {
        await new Promise((resolve) => { setImmediate(resolve); });
        signal?.throwIfAborted();
      },
    };
    return new Makers({ folder: join(this.#folder, 'makers'), clock });
  }

  get outcomes(): OutcomeStore {
    return new OutcomeStore(join(this.#folder, 'outcomes'));
  }

  get records(): BuildRecords {
    return new BuildRecords(join(this.#folder, 'images'));
  }

  get lastBuilds(): LastBuilds {
    return new LastBuilds(join(this.#folder, 'last'));
  }

  /** Carries plans out as a new run; returns what was really done in it, and the ids of the images. */
  async run(builds: readonly FakeBuild[], more: RunMore = {}): Promise<{ outcome: RunOutcome; did: readonly string[]; ids: readonly string[]; events: readonly BakeEvent[] }> {
    const plans = builds.map(planOf);
    const record = { events: [] as BakeEvent[] };
    const { services, cache } = this.#setUp(`r${++this.#runs}`, record, more);
    await openJournal(services);
    const from = this.order.length;
    const outcome = await executeRun({
      plans, builds: new Set(plans.flatMap((plan) => plan.builds.map((build) => build.id))), onError: more.onError ?? 'cleanup', cores: 2, signal: more.signal ?? new AbortController().signal,
      ...(more.parallel === undefined ? {} : { parallel: more.parallel }), ...(more.cached === false ? {} : { cache }),
    }, services);
    return { outcome, did: this.order.slice(from), ids: outcome.builds.map((build) => build.artifacts[0]?.id ?? ''), events: record.events };
  }

  /** What a run would do now. */
  foretell(builds: readonly FakeBuild[], fresh: readonly string[] = [], more: Partial<Pick<ForecastRequest, 'onUnknown' | 'signal'>> = {}): Promise<readonly BuildForecast[]> {
    const plans = builds.map(planOf);
    const { services, cache } = this.#setUp('forecast', { events: [] }, { fresh });
    return forecast({ plans, builds: new Set(plans.flatMap((plan) => plan.builds.map((build) => build.id))), cache, signal: new AbortController().signal, ...more }, services);
  }

  #setUp(id: string, record: { events: BakeEvent[] }, { fresh = [], save = 'auto', onEvent = () => {} }: RunMore): { readonly services: EngineServices; readonly cache: RunCache } {
    const base = fakeServices(new FakeWorld(), new MemoryJournal(), new Crash(), record);
    const masker = new Masker();
    return {
      services: {
        ...base, masker, clock: this.clock, registry: new Registry([this.#extension()]), run: { ...base.run, id },
        host: { ...base.host, notify: (event) => { base.host.notify(event); onEvent(event); } },
        secrets: new SecretStore({ env: this.env, variables: {}, literals: [], project: '/' }, masker),
      },
      cache: { checkpoints: this.checkpoints, makers: this.makers, outcomes: this.outcomes, lastBuilds: this.lastBuilds, records: this.records, digests: { of: () => Promise.resolve(undefined) }, key: new Uint8Array(32), fresh: new Set(fresh), save },
    };
  }

  #extension(): Extension {
    const machine: ResourceHandler<{ readonly base: string }, JsonObject> = {
      acquire: async ({ base }, ctx) => {
        await ctx.clock.sleep(this.machineTime);
        this.machines.set(ctx.token, base);
        this.#did(ctx.step.id);
        return { token: ctx.token };
      },
      find: async (token) => (this.machines.has(token) ? { token } : undefined),
      release: async ({ token }) => { this.machines.delete(token as string); },
      checkpoint: {
        save: async ({ token }, { folder }) => {
          if (this.isBusy) return undefined;
          await writeFile(join(folder, 'state'), this.machines.get(token as string)!);
          return { saved: true };
        },
        restore: async ({ folder }, _spec, ctx) => {
          if (this.isForgetful) throw new Error('it does not come back');
          this.machines.set(ctx.token, await readFile(join(folder, 'state'), 'utf8'));
          this.order.push('restore');
          return { token: ctx.token };
        },
      },
    };
    const write: ActionHandler<{ readonly token: string; readonly text: string }, JsonObject> = {
      run: async ({ token, text }, ctx) => {
        await this.gates.get(`${ctx.run.id} ${ctx.step.id.split(':')[1]!}`);
        await ctx.clock.sleep(this.stepTime);
        if (this.failing.has(ctx.step.id.split(':')[1]!)) throw new Error('it fails');
        this.machines.set(token, `${this.machines.get(token)}\n${text}`);
        this.#did(ctx.step.id);
        return {};
      },
    };
    const image: ResourceHandler<{ readonly token: string }, JsonObject> = {
      acquire: async ({ token }, ctx) => {
        const id = sha256(this.machines.get(token)!);
        this.images.add(id);
        this.#did(ctx.step.id);
        return { id, artifact: { type: 'fake.image', id, title: id, files: [], data: {} } };
      },
      find: async () => undefined,
      release: async ({ id }) => { this.images.delete(id as string); },
      holds: async ({ id }) => {
        if (this.isAway) throw new Error('nobody answers');
        return this.images.has(id as string);
      },
    };
    const push: ActionHandler<{ readonly artifact: JsonObject }, JsonObject> = {
      run: async ({ artifact }, ctx) => {
        this.#did(ctx.step.id);
        return { artifact };
      },
    };
    const lookup: ActionHandler<{ readonly name: string }, JsonObject> = { run: async ({ name }) => ({ digest: this.bases.get(name)! }) };
    const { version } = this;
    const text = z.any();
    const writeSpec = z.strictObject({ token: text, text });
    return {
      name: 'fake',
      steps: [
        { kind: defineStepKind({ kind: 'fake.base', type: 'action', lookup: ['digest'], spec: z.strictObject({ name: z.string() }), outputs: ['digest'], version: 1 }), load: async () => lookup as never },
        { kind: defineStepKind({ kind: 'fake.machine', type: 'resource', spec: z.strictObject({ base: text, folder: z.string() }), whereabouts: ['folder'], outputs: ['token'], version: 1 }), load: async () => machine as never },
        { kind: defineStepKind({ kind: 'fake.write', type: 'action', spec: writeSpec, outputs: [], version }), load: async () => write as never },
        { kind: defineStepKind({ kind: 'fake.other', type: 'action', spec: writeSpec, outputs: [], version: 1 }), load: async () => write as never },
        { kind: defineStepKind({ kind: 'fake.mood', type: 'action', spec: writeSpec, cache: false, outputs: [], version: 1 }), load: async () => write as never },
        { kind: defineStepKind({ kind: 'fake.image', type: 'resource', spec: z.strictObject({ token: text }), outputs: ['artifact', 'id'], version: 1 }), load: async () => image as never },
        { kind: defineStepKind({ kind: 'fake.push', type: 'action', spec: z.strictObject({ artifact: text }), outputs: ['artifact'], version: 1 }), load: async () => push as never },
      ],
    };
  }

  #did(step: string): void {
    this.order.push(step.split(/[/:]/).at(-1)!);
  }
}

function planOf({ image, base, provisioners, after = [] }: FakeBuild): Plan {
  const build = `${image}/B`;
  const step = (id: string, kind: string, more: Partial<PlanStep>): PlanStep => ({ id, kind: `fake.${kind}`, title: id, role: 'source', spec: {}, needs: [], lifetime: 'none', build, ...more });
  const token = { $ref: `${build}/Machine#token` };
  const parent = typeof base === 'string' ? undefined : `${base.imageOf}/B/Image`;
  const steps: PlanStep[] = [
    ...(parent === undefined ? [step(`${build}/Base`, 'base', { spec: { name: base as string } })] : []),
    step(`${build}/Machine`, 'machine', { lifetime: 'run', spec: { folder: `/work/${image}`, base: { $ref: parent === undefined ? `${build}/Base#digest` : `${parent}#artifact.id` } }, needs: [parent ?? `${build}/Base`] }),
  ];
  let previous = `${build}/Machine`;
  for (const { name, text, policy, kind = 'write' } of provisioners) {
    const id = `${build}:${name}`;
    steps.push(step(id, kind, { role: 'provisioner', spec: { token, text: text as string }, needs: [...new Set([`${build}/Machine`, previous])], ...(policy === undefined ? {} : { policy }) }));
    previous = id;
  }
  steps.push(step(`${build}/Image`, 'image', { lifetime: 'artifact', spec: { token }, needs: [...new Set([`${build}/Machine`, previous])] }));
  for (const name of after) steps.push(step(`${build}:${name}`, 'push', { role: 'post-processor', spec: { artifact: { $ref: `${build}/Image#artifact` } }, needs: [`${build}/Image`] }));
  const facts: PlanBuild = { id: build, name: 'B', platform: 'fake', artifact: { $ref: `${build}/Image#artifact` }, machine: `${build}/Machine` };
  return { schema: 1, image, tags: {}, builds: [facts], steps };
}
