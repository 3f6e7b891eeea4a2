/** What the graph functions need to know of a step. */
export interface GraphNode {
  readonly id: string;
  readonly needs: readonly string[];
}

/** The nodes in an order in which each comes after all that it needs; otherwise in the order given. Nodes of a cycle are left out. */
export function topologicalOrder<T extends GraphNode>(nodes: readonly T[]): readonly T[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const waiting = new Map<string, number>();
  const dependents = dependentsOf(nodes);
  for (const node of nodes) waiting.set(node.id, node.needs.filter((need) => byId.has(need)).length);
  const ready = nodes.filter((node) => waiting.get(node.id) === 0);
  for (let index = 0; index < ready.length; index++) {
    for (const dependent of dependents.get(ready[index]!.id) ?? []) {
      const left = waiting.get(dependent)! - 1;
      waiting.set(dependent, left);
      if (left === 0) ready.push(byId.get(dependent)!);
    }
  }
  return ready;
}

/** For each node, the ids of those that need it directly. */
export function dependentsOf(nodes: readonly GraphNode[]): ReadonlyMap<string, readonly string[]> {
  const dependents = new Map<string, string[]>();
  for (const node of nodes) {
    for (const need of new Set(node.needs)) {
      const list = dependents.get(need);
      if (list === undefined) dependents.set(need, [node.id]);
      else list.push(node.id);
    }
  }
  return dependents;
}

/** One cycle, as the ids around it with the first repeated at the end; undefined if there is none. */
export function findCycle(nodes: readonly GraphNode[]): readonly string[] | undefined {
  const placed = new Set(topologicalOrder(nodes).map((node) => node.id));
  const rest = new Map(nodes.filter((node) => !placed.has(node.id)).map((node) => [node.id, node]));
  // Every node left needs one that is left too, so walking along the needs must come round.
  let [here] = rest.values();
  if (here === undefined) return undefined;
  const path: string[] = [];
  while (!path.includes(here.id)) {
    path.push(here.id);
    const next: GraphNode | undefined = here.needs.map((need) => rest.get(need)).find((node) => node !== undefined);
    if (next === undefined) return undefined;
    here = next as never;
  }
  return [...path.slice(path.indexOf(here.id)), here.id];
}

/** Everything that the given nodes need, directly or not, themselves included. */
export function closureOf(nodes: readonly GraphNode[], ids: Iterable<string>): ReadonlySet<string> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const seen = new Set<string>();
  const open = [...ids];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    open.push(...(byId.get(id)?.needs ?? []));
  }
  return seen;
}
