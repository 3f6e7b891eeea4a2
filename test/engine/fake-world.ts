// Contract of the fake world: things have a token and exist or not. `make` is not atomic: a thing appears first as half,
// then whole. `remove` of what is not there succeeds. A thing may become visible to `find` only some time after it was made.
// A crash stops every call for good, at the next boundary before or after an effect or a journal write; what was written
// without a sync may be lost with it.
import { z } from 'zod';
import { BakeError } from '../../lib/core/bake-error.js';
import type { JsonObject } from '../../lib/core/json.js';
import type { Clock } from '../../lib/core/ports.js';
import type { Extension } from '../../lib/engine/extension.js';
import type { ActionHandler, ResourceHandler } from '../../lib/engine/handler.js';
import { Journal, type JournalEntry, type JournalStore, journalVersion, parseJournal } from '../../lib/engine/journal.js';
import { type Ledger, ledgerOf } from '../../lib/engine/ledger.js';
import { Masker } from '../../lib/engine/masker.js';
import { PinFile } from '../../lib/engine/pins/pin-file.js';
import { Pins } from '../../lib/engine/pins/pins.js';
import { OutputClaims } from '../../lib/engine/output-claims.js';
import { Registry } from '../../lib/engine/registry.js';
import { SecretStore } from '../../lib/engine/secret-store.js';
import type { EngineServices } from '../../lib/engine/services.js';
import type { BakeEvent } from '../../lib/core/events.js';
import { defineStepKind } from '../../lib/plan/step-kind.js';
import type { Plan, PlanStep } from '../../lib/plan/plan.js';

/** Counts boundaries and stops everything at one of them. */
export class Crash {
  readonly happened: Promise<'crashed'>;
  count = 0;
  readonly #at: number;
  #announce: (value: 'crashed') => void = () => {};
  #isDead = false;

  constructor(at = Infinity) {
    this.#at = at;
    this.happened = new Promise((resolve) => { this.#announce = resolve; });
  }

  /** The effect happens in the same turn as the look at whether the process still lives: a dead one has none. */
  async boundary(effect: () => void = () => {}): Promise<void> {
    if (!this.#isDead && this.count++ === this.#at) {
      this.#isDead = true;
      this.#announce('crashed');
    }
    if (this.#isDead) await new Promise(() => {});
    effect();
  }
}

/** Lines that survive: all that were synced, and of the others as many as the disk happened to have. */
export class MemoryJournal {
  durable = '';
  eventual = '';

  store(crash: Crash): JournalStore {
    return {
      append: async (lines, isDurable) => {
        await crash.boundary(() => {
          this.eventual += lines;
          if (!isDurable) return;
          this.durable += this.eventual;
          this.eventual = '';
        });
        await crash.boundary();
      },
      close: async () => {},
    };
  }

  /** What a new process finds; a lossy disk tears the unsynced tail in the middle of a line. */
  reopen(isLossy: boolean): Ledger {
    const tail = isLossy ? this.eventual.slice(0, Math.floor(this.eventual.length / 2)) : this.eventual;
    const ledger = ledgerOf(parseJournal(this.durable + tail, 'journal'));
    this.durable = (this.durable + tail).slice(0, (this.durable + tail).lastIndexOf('\n') + 1);
    this.eventual = '';
    return ledger;
  }
}

export interface FakeSpec {
  readonly fail?: 'before' | 'half' | 'after';
  /** Attempts that fail; all if absent. */
  readonly failures?: number;
  /** The step of the same build whose thing goes away by itself when this one fails. */
  readonly takes?: string;
  /** Releases that fail. */
  readonly stickyReleases?: number;
  /** Milliseconds until `find` sees the thing. */
  readonly visibleAfter?: number;
  readonly input?: unknown;
}

export class FakeWorld {
  /** Goes on while processes come and go. */
  readonly clock = fakeClock();
  readonly things = new Map<string, { whole: boolean; madeAt: number; visibleAfter: number }>();
  readonly order: string[] = [];
  readonly #tokens = new Map<string, string>();
  readonly #failures = new Map<string, number>();

  extension(crash: Crash): Extension {
    const { clock } = this;
    const spec = z.strictObject({
      fail: z.enum(['before', 'half', 'after']).optional(), failures: z.number().optional(), stickyReleases: z.number().optional(), takes: z.string().optional(),
      visibleAfter: z.number().optional(), input: z.unknown().optional(),
    });
    const failsNow = (key: string, limit: number): boolean => {
      const times = this.#failures.get(key) ?? 0;
      this.#failures.set(key, times + 1);
      return times < limit;
    };
    const thing: ResourceHandler<FakeSpec, JsonObject> = {
      settle: 5_000,
      acquire: async (given, ctx) => {
        const fails = given.fail !== undefined && failsNow(`make ${ctx.token}`, given.failures ?? Infinity);
        const failAt = (point: FakeSpec['fail']) => { if (fails && given.fail === point) throw new BakeError({ code: 'FakeFailure', message: `fails ${point}` }); };
        failAt('before');
        await crash.boundary(() => {
          this.#tokens.set(ctx.step.id, ctx.token);
          this.things.set(ctx.token, { whole: false, madeAt: clock.now(), visibleAfter: given.visibleAfter ?? 0 });
          this.order.push(`make ${ctx.step.id}`);
        });
        await crash.boundary();
        failAt('half');
        await crash.boundary(() => { this.things.get(ctx.token)!.whole = true; });
        await crash.boundary();
        failAt('after');
        return { token: ctx.token, artifact: { type: 'fake', id: ctx.token, title: ctx.step.id, files: [], data: {} } };
      },
      find: async (token) => {
        await crash.boundary();
        const found = this.things.get(token);
        return found !== undefined && clock.now() >= found.madeAt + found.visibleAfter ? { token } : undefined;
      },
      lost: async ({ token }) => {
        this.onLookForLost();
        return this.things.has(token as string) ? undefined : 'taken back';
      },
      release: async (handle, ctx) => {
        const token = handle['token'] as string;
        if (this.sticky.has(ctx.step.id) && failsNow(`release ${token}`, this.sticky.get(ctx.step.id)!)) throw new BakeError({ code: 'FakeFailure', message: 'will not go' });
        await crash.boundary(() => { if (this.things.delete(token)) this.order.push(`remove ${ctx.step.id}`); });
        await crash.boundary();
      },
    };
    const act: ActionHandler<FakeSpec, JsonObject> = {
      run: async (given, ctx) => {
        await crash.boundary();
        ctx.signal.throwIfAborted();
        if (given.fail !== undefined && failsNow(`act ${ctx.token}`, given.failures ?? Infinity)) {
          await crash.boundary(() => { this.things.delete(this.#tokens.get(`${ctx.step.build}/${given.takes}`) ?? ''); });
          throw new BakeError({ code: 'FakeFailure', message: 'fails' });
        }
        this.order.push(`act ${ctx.step.id}`);
        return { done: true };
      },
    };
    return {
      name: 'fake',
      steps: [
        { kind: defineStepKind({ kind: 'fake.thing', type: 'resource', spec, outputs: ['token', 'artifact'], version: 1 }), load: async () => thing as never },
        { kind: defineStepKind({ kind: 'fake.mortal', type: 'resource', spec, outputs: ['token'], version: 1, endsWithProcess: true }), load: async () => thing as never },
        { kind: defineStepKind({ kind: 'fake.act', type: 'action', spec, outputs: ['done'], version: 1 }), load: async () => act as never },
      ],
    };
  }

  /** Called while it is found out whether a thing is lost. */
  onLookForLost = (): void => {};

  /** Releases of a step that fail before one works. */
  readonly sticky = new Map<string, number>();
}

/** Time that passes only when somebody waits for it. */
export function fakeClock(): Clock {
  let time = 0;
  return {
    now: () => time,
    sleep: async (milliseconds, signal) => {
      signal?.throwIfAborted();
      time += milliseconds;
    },
  };
}

export interface FakeHostRecord {
  readonly events: BakeEvent[];
}

export function fakeServices(world: FakeWorld, journal: MemoryJournal, crash: Crash, record: FakeHostRecord = { events: [] }, answer = 'cleanup'): EngineServices {
  const masker = new Masker();
  return {
    registry: new Registry([world.extension(crash)]), journal: new Journal(journal.store(crash)), masker,
    secrets: new SecretStore({ env: {}, variables: {}, literals: ['hunter2'], project: '/' }, masker),
    outputs: new OutputClaims({ folder: '/nonexistent', force: false }), clock: world.clock,
    pins: new Pins({ file: new PinFile('/nonexistent', world.clock), masker, frozen: false, isRenewed: () => false }),
    exec: { run: async () => { throw new Error('no processes here'); } }, ids: { runId: () => 'r1', hex: () => '00' },
    host: { notify: (event) => { record.events.push(event); }, ask: async () => answer },
    run: { id: 'r1', folder: '/nonexistent/r1', project: '/', cache: '/nonexistent/cache', assets: '/', force: false },
  };
}

export async function openJournal(services: EngineServices): Promise<void> {
  const first: JournalEntry = { type: 'run.opened', version: journalVersion, run: 'r1', pid: 1, processStart: '1', project: '/', at: 0 };
  await services.journal.append(first, 'durable');
}

type StepShape = Partial<Pick<PlanStep, 'role' | 'policy' | 'needs'>> & { readonly spec?: FakeSpec };

/** A plan of one build, written as a list of `[name, kind, lifetime, more]`. */
export function fakePlan(image: string, shapes: readonly (readonly [string, 'thing' | 'mortal' | 'act', 'run' | 'artifact' | 'none', StepShape?])[]): Plan {
  const build = `${image}/B`;
  const id = (name: string) => (name.includes('/') ? name : `${build}/${name}`);
  const steps = shapes.map(([name, kind, lifetime, more = {}]): PlanStep => ({
    id: id(name), kind: `fake.${kind}`, title: name, role: more.role ?? 'source', spec: (more.spec ?? {}) as JsonObject, needs: (more.needs ?? []).map(id), lifetime, build,
    ...(more.policy === undefined ? {} : { policy: more.policy }),
  }));
  const artifact = steps.find((step) => step.lifetime === 'artifact') ?? steps[0]!;
  return { schema: 1, image, tags: {}, builds: [{ id: build, name: 'B', platform: 'fake', artifact: { $ref: `${artifact.id}#artifact` } }], steps };
}
