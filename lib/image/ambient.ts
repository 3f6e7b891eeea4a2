import type { Diagnostic } from '../core/diagnostic.js';
import type { App } from './app.js';

/** What a running `image.ts` and whoever loads it share. */
export interface Ambient {
  /** Values of variables from outside, as texts. */
  variables: Readonly<Record<string, string>>;
  /** Every `App` that was made, in order. */
  readonly apps: App[];
  /** Every variable that was asked for, by name. */
  readonly declared: Map<string, { readonly description?: string; readonly sensitive: boolean }>;
  /** Findings of constructs that must not stop the file: all are shown at once. */
  readonly diagnostics: Diagnostic[];
}

const key = Symbol.for('bake-sdk.ambient');

/**
 * The one piece of state that is not passed along: `image.ts` is a program of the user's, and between it and its loader
 * there is no call that could carry a parameter. It hangs on the global object so that a second copy of the package in
 * the user's tree still meets the first.
 */
export function ambient(): Ambient {
  const world = globalThis as { [key]?: Ambient };
  return (world[key] ??= { variables: {}, apps: [], declared: new Map(), diagnostics: [] });
}

/** Starts over, for the next file to be loaded. */
export function resetAmbient(variables: Readonly<Record<string, string>>): Ambient {
  const here = ambient();
  here.variables = variables;
  here.apps.length = 0;
  here.declared.clear();
  here.diagnostics.length = 0;
  return here;
}
