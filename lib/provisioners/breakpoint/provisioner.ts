import type { Extension } from '../../engine/extension.js';
import { breakpointStep } from './steps.js';

/** Stops a build so that its machine can be looked at. */
export const breakpointExtension: Extension = {
  name: 'breakpoint',
  steps: [{ kind: breakpointStep, load: async () => (await import('./engine/breakpoint-handler.js')).breakpointHandler }],
};
