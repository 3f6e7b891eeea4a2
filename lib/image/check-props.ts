import type { IConstruct } from 'constructs';
import { BakeError } from '../core/bake-error.js';
import { closest } from '../core/closest.js';
import { Annotations } from './annotations.js';

/**
 * Looks for unknown props, which no type checker may have seen: bundling does not check types. A finding is an error
 * annotation on the construct, so that synth shows all of them at once.
 */
export function checkProps<P extends object>(construct: IConstruct, props: P, names: Readonly<Record<keyof Required<P>, true>>): void {
  const owner = construct.constructor.name;
  if (typeof props !== 'object' || props === null) {
    throw new BakeError({ code: 'InvalidProps', message: `${owner} needs props, an object`, hint: `write new ${owner}(scope, id, { … })`, construct: construct.node.path });
  }
  const known = Object.keys(names);
  for (const name of Object.keys(props)) {
    if (Object.hasOwn(names, name)) continue;
    const near = closest(name, known);
    Annotations.of(construct).addError(`${owner} has no prop "${name}"`, {
      code: 'UnknownProp',
      hint: near === undefined ? `its props are ${known.join(', ')}` : `did you mean "${near}"?`,
    });
  }
}
