import type { IoHost } from '../../core/events.js';

/** An `IoHost` of the command line: it is told when the run is over. */
export interface RunHost extends IoHost {
  /** Gives the terminal back; nothing is shown any more. */
  close(): void;
}
