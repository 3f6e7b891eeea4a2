import type { IConstruct } from 'constructs';
import { BakeError } from '../core/bake-error.js';
import { closest } from '../core/closest.js';

/**
 * Checks props that no type checker has seen: bundling does not check types.
 * @throws BakeError `UnknownProp` that names the nearest prop, `InvalidProps` if they are no object
 */
export function checkProps<P extends object>(construct: IConstruct, props: P, names: Readonly<Record<keyof Required<P>, true>>): void {
  const owner = construct.constructor.name;
  if (typeof props !== 'object' || props === null) {
    throw new BakeError({ code: 'InvalidProps', message: `${owner} needs props, an object`, hint: `write new ${owner}(scope, id, { … })`, construct: construct.node.path });
  }
  const known = Object.keys(names);
  const unknown = Object.keys(props).filter((name) => !Object.hasOwn(names, name));
  if (unknown.length === 0) return;
  const [first = ''] = unknown;
  const near = closest(first, known);
  throw new BakeError({
    code: 'UnknownProp',
    message: `${owner} has no prop ${unknown.map((name) => `"${name}"`).join(', ')}`,
    hint: near === undefined ? `its props are ${known.join(', ')}` : `did you mean "${near}"?`,
    construct: construct.node.path,
  });
}
