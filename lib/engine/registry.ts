import { BakeError } from '../core/bake-error.js';
import { closest } from '../core/closest.js';
import type { JsonObject } from '../core/json.js';
import type { StepKind } from '../plan/step-kind.js';
import type { Extension, OpenCommunicator } from './extension.js';
import type { ActionHandler, ResourceHandler } from './handler.js';

export type LoadedHandler =
  | { readonly type: 'resource'; readonly handler: ResourceHandler<unknown, JsonObject> }
  | { readonly type: 'action'; readonly handler: ActionHandler<unknown, JsonObject> };

/** All step kinds and communicators that this `bake` has; loads a handler when its first step comes. */
export class Registry {
  readonly #kinds = new Map<string, Extension['steps'][number]>();
  readonly #communicators = new Map<string, () => Promise<OpenCommunicator>>();
  readonly #loaded = new Map<string, Promise<LoadedHandler>>();

  constructor(extensions: readonly Extension[]) {
    for (const extension of extensions) {
      for (const step of extension.steps) this.#kinds.set(step.kind.kind, step);
      for (const [kind, open] of Object.entries(extension.communicators ?? {})) this.#communicators.set(kind, open);
    }
  }

  /** @throws BakeError `UnknownStepKind` */
  kind(kind: string): StepKind {
    return this.#entry(kind).kind;
  }

  /** Whether this bake has it. */
  knows(kind: string): boolean {
    return this.#kinds.has(kind);
  }

  /** Whether releasing it removes something; true of a kind that is not known. */
  owns(kind: string): boolean {
    return this.#kinds.get(kind)?.kind.owns !== false;
  }

  /** Whether it dies with this process. */
  endsWithProcess(kind: string): boolean {
    return this.#kinds.get(kind)?.kind.endsWithProcess === true;
  }

  /** Whether its artifact is that of its input. */
  passesOn(kind: string): boolean {
    return this.#kinds.get(kind)?.kind.passesOn === true;
  }

  /** Whether the artifact of its build stands for it. */
  isPart(kind: string): boolean {
    return this.#kinds.get(kind)?.kind.part === true;
  }

  handler(kind: string): Promise<LoadedHandler> {
    const known = this.#loaded.get(kind);
    if (known !== undefined) return known;
    const entry = this.#entry(kind);
    // The schema of the kind guards the spec, so the handler's own type of it is right.
    const loading = entry.load().then((handler) => ({ type: entry.kind.type, handler }) as unknown as LoadedHandler);
    this.#loaded.set(kind, loading);
    return loading;
  }

  /** @throws BakeError `UnknownCommunicator` */
  communicator(kind: string): Promise<OpenCommunicator> {
    const load = this.#communicators.get(kind);
    if (load === undefined) throw new BakeError({ code: 'UnknownCommunicator', source: 'bake', message: `there is no communicator "${kind}"` });
    return load();
  }

  #entry(kind: string): Extension['steps'][number] {
    const entry = this.#kinds.get(kind);
    if (entry !== undefined) return entry;
    const near = closest(kind, this.#kinds.keys());
    throw new BakeError({ code: 'UnknownStepKind', message: `this bake cannot carry out "${kind}"`, hint: near === undefined ? 'the plan was written by another version: run "bake synth" again' : `did you mean "${near}"?` });
  }
}
