import type { JsonObject } from '../core/json.js';
import type { JournalEntry } from './journal.js';

type Begun = Extract<JournalEntry, { type: 'resource.begun' }>;

/** A resource that may exist, according to a journal. */
export interface LedgerItem {
  readonly begun: Begun;
  /** Undefined if the journal ends between intent and effect. */
  readonly handle: JsonObject | undefined;
}

/** What a journal says about the world. */
export interface Ledger {
  readonly opened: Extract<JournalEntry, { type: 'run.opened' }> | undefined;
  readonly closed: boolean;
  /** Ids of builds that succeeded. */
  readonly succeeded: ReadonlySet<string>;
  /** All that may exist and must go, in the order in which it must go: what was begun last comes first, so dependents do. */
  readonly owed: readonly LedgerItem[];
  /** Artifacts of builds that succeeded. */
  readonly kept: readonly LedgerItem[];
  /** Checkpoints that were being saved: of their keys there may be a half. */
  readonly checkpoints: readonly { readonly key: string; readonly kinds: readonly string[] }[];
}

/** Reads the books: begun and not released is owed, unless it is an artifact of a build that succeeded. */
export function ledgerOf(entries: readonly JournalEntry[]): Ledger {
  const items = new Map<string, { begun: Begun; handle: JsonObject | undefined }>();
  const succeeded = new Set<string>();
  const checkpoints = new Map<string, readonly string[]>();
  let opened: Ledger['opened'];
  let closed = false;
  for (const entry of entries) {
    if (entry.type === 'run.opened') opened = entry;
    else if (entry.type === 'run.closed') closed = true;
    else if (entry.type === 'build.succeeded') succeeded.add(entry.build);
    else if (entry.type === 'checkpoint.begun') checkpoints.set(entry.key, entry.kinds);
    else if (entry.type === 'checkpoint.done') checkpoints.delete(entry.key);
    else if (entry.type === 'resource.begun') {
      items.delete(entry.step);
      items.set(entry.step, { begun: entry, handle: undefined });
    } else if (entry.type === 'resource.acquired') {
      const item = items.get(entry.step);
      if (item !== undefined) item.handle = entry.handle;
    } else if (entry.type === 'resource.released') items.delete(entry.step);
  }
  const all = [...items.values()];
  const isKept = ({ begun }: LedgerItem) => begun.lifetime === 'artifact' && succeeded.has(begun.build);
  return { opened, closed, succeeded, owed: all.filter((item) => !isKept(item)).reverse(), kept: all.filter(isKept), checkpoints: [...checkpoints].map(([key, kinds]) => ({ key, kinds })) };
}
