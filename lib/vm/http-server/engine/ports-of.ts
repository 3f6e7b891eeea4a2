import type { HttpServerSpec } from '../steps.js';

/**
 * The ports to try, in this order: all of the range from a random one on, so that two runs at the same time seldom meet;
 * or 0, with which the system chooses.
 */
export function portsOf({ portMin, portMax }: Pick<HttpServerSpec, 'portMin' | 'portMax'>, random: () => number = Math.random): readonly number[] {
  const first = portMin ?? portMax;
  const last = portMax ?? portMin;
  if (first === undefined || last === undefined) return [0];
  const count = last - first + 1;
  const start = Math.floor(random() * count);
  return Array.from({ length: count }, (_, index) => first + ((start + index) % count));
}
