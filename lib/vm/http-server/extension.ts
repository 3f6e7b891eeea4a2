import type { Extension } from '../../engine/extension.js';
import { httpServer } from './steps.js';

/** A web server for machines that install themselves. */
export const httpServerExtension: Extension = {
  name: 'http-server',
  steps: [{ kind: httpServer, load: async () => (await import('./engine/http-server-handler.js')).httpServerHandler() }],
};
