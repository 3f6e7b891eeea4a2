import type { Extension } from '../../engine/extension.js';
import { breakpointStep } from './steps.js';

export const breakpointExtension: Extension = {
  name: 'breakpoint',
  steps: [{ kind: breakpointStep, load: async () => (await import('./engine/breakpoint-handler.js')).breakpointHandler }],
};
