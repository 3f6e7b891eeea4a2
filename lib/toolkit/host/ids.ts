import { randomBytes } from 'node:crypto';
import type { Ids } from '../../core/ports.js';

/** Random ids; a run id is `<UTC time>-<6 hex>`, such as `20260102t030405-1a2b3c`. */
export const systemIds: Ids = {
  runId: () => `${new Date().toISOString().slice(0, 19).replace(/[-:]/g, '').toLowerCase()}-${randomBytes(3).toString('hex')}`,
  hex: (bytes) => randomBytes(bytes).toString('hex'),
};
