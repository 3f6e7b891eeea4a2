import type { EventBody } from '../../core/events.js';
import type { BuildState, StepState } from '../run-state.js';
import type { Maker, MakerFacts, Makers } from './makers.js';

/** Another build is at work on what this one needs. */
export type MadeElsewhere = Extract<EventBody, { readonly type: 'build.waiting' }> & {
  /** Resolves when there is nothing more to wait for, or the run is aborted. Never rejects. */
  readonly over: () => Promise<void>;
};

export interface MadeOnceOptions {
  readonly makers: Makers;
  readonly run: Pick<MakerFacts, 'run' | 'project'>;
  readonly signal: AbortSignal;
  /** Whether builds of this run may let others wait for them. */
  readonly mayPromise: boolean;
}

/**
 * Lets builds that need the same checkpoint make it once. A build says before it begins which states it will pass. One that
 * comes to the same states later waits until the other has passed the last of them, and then looks again for what there is.
 *
 * Nobody waits for each other: who waits has promised nothing, and who has promised something is at work. Nor does anybody
 * wait for long for nothing: who has failed, or cannot save its machine, takes its promises back, and a build whose waiting
 * brought it nothing does not wait again, unless the other was killed.
 */
export class MadeOnce {
  readonly #options: MadeOnceOptions;
  readonly #promised = new Map<BuildState, Set<string>>();
  /** The key of the checkpoint that a build had when it began to wait, if waiting again is worth it only with a better one. */
  readonly #had = new Map<BuildState, { readonly checkpoint: string | undefined }>();

  constructor(options: MadeOnceOptions) {
    this.#options = options;
  }

  /**
   * To be called before a build begins. Undefined if it shall do so now. Never fails the build.
   * @param ahead what it will pass, by fingerprint
   * @param checkpoint the key of what it goes on from
   */
  async begin(build: BuildState, ahead: ReadonlyMap<string, StepState>, checkpoint: string | undefined): Promise<MadeElsewhere | undefined> {
    if (ahead.size === 0) return undefined;
    const { makers, run, signal, mayPromise } = this.#options;
    const had = this.#had.get(build);
    const mayWait = had === undefined || had.checkpoint !== checkpoint;
    try {
      const found = await makers.begin([...ahead.keys()], { ...run, build: build.plan.id }, { mayWait, mayPromise, signal });
      if ('key' in found) return { ...this.#waiting(build, found.maker, ahead.get(found.key)!), over: () => this.#over(build, found, checkpoint) };
      this.#promised.set(build, new Set(found));
    } catch { /* a folder that cannot be written to: each build does its own work */ }
    return undefined;
  }

  /** Whether another build waits for this state. */
  async isWanted(build: BuildState, key: string): Promise<boolean> {
    return this.#promised.get(build)?.has(key) === true && await this.#options.makers.isWanted(key);
  }

  /** To be called when a state is passed, and saved if it ever will be. */
  async passed(build: BuildState, key: string): Promise<void> {
    if (this.#promised.get(build)?.delete(key) === true) await this.#options.makers.end(key).catch(() => {});
  }

  /** To be called when a build will save nothing more. */
  async giveUp(build: BuildState): Promise<void> {
    for (const key of this.#promised.get(build) ?? []) await this.passed(build, key);
  }

  /** To be called when the run is over. */
  async close(): Promise<void> {
    for (const build of this.#promised.keys()) await this.giveUp(build);
  }

  #waiting({ plan: { id } }: BuildState, { pid, run, build: by }: Maker, { step }: StepState): Extract<EventBody, { readonly type: 'build.waiting' }> {
    const isHere = run === this.#options.run.run;
    return { type: 'build.waiting', build: id, by, run, ...(isHere ? {} : { process: pid }), until: step.id.slice(id.length + 1) };
  }

  async #over(build: BuildState, { key, maker }: { readonly key: string; readonly maker: Maker }, checkpoint: string | undefined): Promise<void> {
    const { makers, signal } = this.#options;
    const end = await makers.over(key, maker, signal).catch(() => 'unknown' as const);
    if (end === 'died') this.#had.delete(build);
    else this.#had.set(build, { checkpoint });
  }
}
