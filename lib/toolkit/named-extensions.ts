import { BakeError } from '../core/bake-error.js';
import { closest } from '../core/closest.js';
import type { Extension } from '../engine/extension.js';

/** Those that are named, of the ones that can do what is asked for. @throws BakeError `UnknownPlatform` */
export function namedExtensions(able: readonly Extension[], names: readonly string[]): readonly Extension[] {
  const unknown = names.find((name) => !able.some((extension) => extension.name === name));
  if (unknown === undefined) return able.filter(({ name }) => names.includes(name));
  const near = closest(unknown, able.map(({ name }) => name));
  throw new BakeError({ code: 'UnknownPlatform', message: `there is nothing to look for on "${unknown}"`, hint: near === undefined ? `choose from ${able.map(({ name }) => name).join(', ')}` : `did you mean "${near}"?` });
}
