import type { StepKind } from '../../../plan/step-kind.js';

/** The resolved spec of a step kind. */
export type SpecOf<K> = K extends StepKind<infer Spec> ? Spec : never;
