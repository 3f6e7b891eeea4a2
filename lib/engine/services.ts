import type { IoHost } from '../core/events.js';
import type { Clock, Exec, Ids } from '../core/ports.js';
import type { Journal } from './journal.js';
import type { Masker } from './masker.js';
import type { OutputClaims } from './output-claims.js';
import type { Pins } from './pins/pins.js';
import type { Registry } from './registry.js';
import type { SecretStore } from './secret-store.js';

/** What one run, or one recovery, works with. */
export interface EngineServices {
  readonly registry: Registry;
  readonly journal: Journal;
  readonly secrets: SecretStore;
  readonly masker: Masker;
  readonly outputs: OutputClaims;
  readonly pins: Pins;
  readonly clock: Clock;
  readonly exec: Exec;
  readonly ids: Ids;
  /** Masked by the engine before anything reaches it. */
  readonly host: IoHost;
  readonly run: {
    readonly id: string;
    /** `.bake/runs/<id>`. */
    readonly folder: string;
    readonly project: string;
    /** For what later runs may use again. */
    readonly cache: string;
    /** The folder of the staged assets. */
    readonly assets: string;
    readonly force: boolean;
    /** Where it can be seen whether it is alive. @default - it makes nothing that is seen from elsewhere */
    readonly home?: string;
    /** What the project is called, wherever it lies. @default - it makes nothing that is seen from elsewhere */
    readonly projectName?: string;
  };
}

/** Events of one run, masked and stamped with the time. */
export function notifier({ host, masker, clock }: Pick<EngineServices, 'host' | 'masker' | 'clock'>): (body: import('../core/events.js').EventBody) => void {
  return (body) => host.notify(masker.value({ ...body, at: clock.now() }));
}
