import { BakeError } from '../../../core/bake-error.js';
import type { OpenCommunicator } from '../../../engine/extension.js';

/** There is no machine to open. Synth refuses such a plan; this is for plans that were written elsewhere. @throws BakeError `NoCommunicator` */
export const openNone: OpenCommunicator = async () => {
  throw new BakeError({ code: 'NoCommunicator', message: 'this build has no machine to work on', hint: 'give the source a machine: new NullSource(this, …, { ssh: { host, user } })' });
};
