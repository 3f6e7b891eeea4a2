import { setImmediate as immediate } from 'node:timers/promises';
import type { Clock } from '../../../lib/core/ports.js';
import { CheckpointStore } from '../../../lib/engine/cache/checkpoint-store.js';
import type { Extension } from '../../../lib/engine/extension.js';
import { recoverRun } from '../../../lib/engine/recover.js';
import { Registry } from '../../../lib/engine/registry.js';
import { executeRun } from '../../../lib/engine/run.js';
import type { EngineServices } from '../../../lib/engine/services.js';
import type { Plan } from '../../../lib/plan/plan.js';
import { FakeEc2, type FakeEc2Options } from '../../../lib/platforms/ec2/engine/fake-ec2.js';
import { FakeVolumes, type FakeVolumesOptions } from '../../../lib/platforms/ec2/engine/fake-volumes.js';
import { regionsOf } from '../../../lib/platforms/ec2/engine/region.js';
import { scanRegion } from '../../../lib/platforms/ec2/engine/scan.js';
import { volumeRegionsOf } from '../../../lib/platforms/ec2/engine/volume-region.js';
import { Crash, fakeClock, fakeServices, FakeWorld, MemoryJournal, openJournal } from '../../engine/fake-world.js';

export type CrashWorldOptions = Partial<FakeEc2Options & FakeVolumesOptions>;

/** An EC2 that is slow and forgets what was just made, and a process that is killed at any of its calls. */
export abstract class CrashWorld {
  readonly clock: Clock = fakeClock();
  readonly journal = new MemoryJournal();
  crash = new Crash();
  readonly ec2: FakeEc2;
  readonly storage: FakeVolumes;
  /** What the fakes of this world are made with. */
  protected readonly slow: CrashWorldOptions & Pick<FakeEc2Options, 'clock'>;
  #ids = 0;

  constructor(options: CrashWorldOptions = {}) {
    this.slow = { clock: this.clock, visibleAfter: 3_000, stateAfter: 20_000, ...options, boundary: async (call, when) => { await this.crash.boundary(); await options.boundary?.(call, when); } };
    this.ec2 = new FakeEc2(this.slow);
    this.storage = new FakeVolumes(this.ec2, this.slow);
  }

  /** The handlers of one process. */
  protected abstract steps(known: CrashWorld['regions']): Extension['steps'];

  /** What else an engine of this world has. */
  protected readonly more: Partial<EngineServices> = {};

  /** Ids of everything there is. */
  get things(): readonly string[] {
    return [...this.ec2.things, ...this.storage.things];
  }

  get regions() {
    const regions = regionsOf(() => this.ec2);
    return { regions, volumes: volumeRegionsOf(regions, () => this.storage) };
  }

  #services() {
    const ids = { runId: () => 'r1', hex: () => String(this.#ids++).padStart(8, '0') };
    return { ...fakeServices(new FakeWorld(), this.journal, this.crash), ...this.more, clock: this.clock, ids, registry: new Registry([{ name: 'ec2', steps: this.steps(this.regions) }]) };
  }

  /** Until it ends or is killed. */
  async run(plan: Plan, crashAt = Infinity, signal = new AbortController().signal) {
    this.crash = new Crash(crashAt);
    const services = this.#services();
    const work = async () => {
      await openJournal(services);
      return executeRun({ plans: [plan], builds: new Set(plan.builds.map(({ id }) => id)), onError: 'cleanup', cores: 2, signal }, services);
    };
    const outcome = await Promise.race([work(), this.crash.happened]);
    await immediate(); // whatever else the dead process was at comes to its next boundary, and ends there
    return outcome;
  }

  async recover(isLossy: boolean): Promise<void> {
    const ledger = this.journal.reopen(isLossy);
    this.crash = new Crash();
    const { left } = await recoverRun({ ledger, services: this.#services(), checkpoints: new CheckpointStore({ folder: '/nowhere', clock: this.clock }), signal: new AbortController().signal, endProcesses: async () => {} });
    if (left.length > 0) throw new Error(left.map(({ title, reason }) => `${title}: ${reason}`).join(', '));
  }

  /** As `bake clean --scan`. */
  async scan(): Promise<readonly string[]> {
    this.crash = new Crash();
    await this.clock.sleep(5_000);
    const strays = await scanRegion(this.regions.volumes({}), { clock: this.clock, signal: new AbortController().signal } as never);
    for (const stray of strays) await stray.remove();
    return strays.map(({ kind }) => kind);
  }

  /** What is there beyond what builds whose success is on disk have made, once EC2 has done what it was told in `after` milliseconds. */
  async strangers(after = 60_000): Promise<readonly string[]> {
    await this.clock.sleep(after);
    const kept = new Set(this.journal.reopen(false).kept.flatMap(({ handle }) => [handle?.['id'], ...(handle?.['snapshots'] as readonly string[] | undefined ?? [])]));
    return this.things.filter((id) => !kept.has(id));
  }
}
