import { BakeError } from '../core/bake-error.js';
import { Duration } from '../core/duration.js';

/**
 * A time that is no bare number: in the plan it would pass for milliseconds. No type checker may have seen it.
 * @throws BakeError `InvalidProp`
 */
export function checkDuration(name: string, value: unknown): asserts value is Duration {
  if (value instanceof Duration) return;
  throw new BakeError({ code: 'InvalidProp', message: `"${name}" is ${String(value)}, not a Duration`, hint: 'write Duration.seconds(30), or Duration.parse("30s")' });
}
