/** What is known of a checkpoint when it is decided what goes. */
export interface Weighed {
  readonly key: string;
  /** The checkpoint it stands on. */
  readonly parent?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly usedAt: number;
  /** What it takes. */
  readonly bytes: number;
}

export interface KeepRules {
  /** Bytes that may be taken in all. @default - any */
  readonly limit?: number | undefined;
  /** What was used last before this time goes; milliseconds since the epoch. @default - none */
  readonly before?: number | undefined;
}

/**
 * The keys of what goes, in the order in which it must: what was used least recently first, but nothing that is in use, and
 * nothing before what stands on it. What stays never stands on something that goes.
 */
export function leastUseful(all: readonly Weighed[], used: ReadonlySet<string>, { limit = Infinity, before = -Infinity }: KeepRules): readonly string[] {
  const there = new Map(all.map((one) => [one.key, one]));
  const standing = new Map<string, number>();
  for (const { parent } of all) if (parent !== undefined) standing.set(parent, (standing.get(parent) ?? 0) + 1);
  let total = all.reduce((sum, { bytes }) => sum + bytes, 0);
  const free = all.filter(({ key }) => !standing.has(key) && !used.has(key));
  const going: string[] = [];
  for (;;) {
    const next = free.reduce<Weighed | undefined>((least, one) => (least === undefined || one.usedAt < least.usedAt ? one : least), undefined);
    if (next === undefined || (total <= limit && next.usedAt >= before)) return going;
    free.splice(free.indexOf(next), 1);
    going.push(next.key);
    total -= next.bytes;
    const { parent } = next;
    if (parent === undefined) continue;
    const left = standing.get(parent)! - 1;
    standing.set(parent, left);
    const below = there.get(parent);
    if (left === 0 && below !== undefined && !used.has(parent)) free.push(below);
  }
}
