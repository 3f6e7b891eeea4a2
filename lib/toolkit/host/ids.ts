import { randomBytes } from 'node:crypto';
import type { Ids } from '../../core/ports.js';

/** Random ids; a run id is `<UTC time>-<6 hex>`, such as `20260102t030405-1a2b3c`. */
export const systemIds: Ids = {
  runId: () => `${new Date().toISOString().slice(0, 19).replace(/[-:]/g, '').toLowerCase()}-${randomBytes(3).toString('hex')}`,
  hex: (bytes) => randomBytes(bytes).toString('hex'),
};

/** When a run began, from its id, in milliseconds since 1970; undefined if that is none of ours. */
export function startOfRun(id: string): number | undefined {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)t(\d\d)(\d\d)(\d\d)-/.exec(id) ?? [];
  const [year, month, day, hour, minute, second] = parts.map(Number);
  return second === undefined ? undefined : Date.UTC(year!, month! - 1, day, hour, minute, second);
}
