import type { SourceLocation } from '../core/diagnostic.js';
import type { Json, JsonObject } from '../core/json.js';
import type { RefJson } from './late.js';

/** Raised when a plan changes its shape; a plan with a higher number is refused. */
export const planSchemaVersion = 1;

/** Stands in refs for the run itself: `run#id`. No construct path is only this, as every step's has a slash or a colon in it. */
export const runStepId = 'run';

export type StepRole = 'source' | 'provisioner' | 'error-cleanup' | 'post-processor';

/** How the engine treats a step whatever its kind; times in milliseconds. */
export interface StepPolicy {
  readonly pauseBefore?: number;
  /** For each attempt. */
  readonly timeout?: number;
  /** Further attempts after the first one. */
  readonly retries?: number;
  /** Before the first further attempt; doubles each time. */
  readonly retryDelay?: number;
  /** A failure is reported and the build goes on. */
  readonly continueOnError?: boolean;
  /** Whether what it did once may be used again. @default - as its kind says */
  readonly cache?: boolean;
  /** For how long. */
  readonly cacheFor?: number;
  /** Goes into its fingerprint. */
  readonly cacheKey?: string;
}

export interface PlanStep {
  /** Construct path, and the step's name where a construct has several: `Web/Docker/Container`. */
  readonly id: string;
  readonly kind: string;
  /** One line for people. */
  readonly title: string;
  readonly role: StepRole;
  readonly spec: JsonObject;
  /** Ids of the steps that must be done before, those of the refs in `spec` included. */
  readonly needs: readonly string[];
  /** `run`: always released, as soon as nothing needs it. `artifact`: released only if its build fails. `none`: an action. */
  readonly lifetime: 'run' | 'artifact' | 'none';
  /** What it makes, for people. */
  readonly noun?: string;
  readonly build: string;
  readonly policy?: StepPolicy;
  readonly source?: SourceLocation;
}

export interface PlanBuild {
  /** Construct path of the source: `Web/Docker`. */
  readonly id: string;
  /** The source's own id, which `only`, `except` and the manifest name. */
  readonly name: string;
  readonly platform: string;
  /** The artifact as the source made it. */
  readonly artifact: RefJson;
  /** The step after which the machine can be provisioned; absent if the source has none. */
  readonly machine?: string;
  readonly source?: SourceLocation;
}

/** One image, ready to be carried out: versioned JSON, the only thing that passes from synth to engine. */
export interface Plan {
  readonly schema: number;
  /** Construct path of the image. */
  readonly image: string;
  readonly tags: { readonly [key: string]: string };
  readonly builds: readonly PlanBuild[];
  readonly steps: readonly PlanStep[];
}

/** Splits `<step id>#<output path>`. */
export function parseRef(ref: RefJson): { readonly step: string; readonly output: string; readonly path: readonly string[] } {
  const mark = ref.$ref.lastIndexOf('#');
  const [output = '', ...path] = ref.$ref.slice(mark + 1).split('.');
  return { step: ref.$ref.slice(0, mark), output, path };
}

/** Follows an output path into a handle or output; undefined if it leads nowhere. */
export function pick(value: Json | undefined, path: readonly string[]): Json | undefined {
  let here: Json | undefined = value;
  for (const name of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, name)) return undefined;
    here = (here as { readonly [key: string]: Json })[name];
  }
  return here;
}
