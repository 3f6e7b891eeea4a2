import type { Extension } from '../../engine/extension.js';
import { artifactScriptStep } from './steps.js';

/** Scripts that work on an artifact. */
export const shellLocalPostProcessorExtension: Extension = {
  name: 'shell-local',
  steps: [{ kind: artifactScriptStep, load: async () => (await import('./engine/artifact-script-handler.js')).artifactScriptHandler }],
};
