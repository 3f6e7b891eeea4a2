import type { BakeError } from '../../core/bake-error.js';

const units = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
/** More than anybody waits for at a keyboard, and less than what timers can hold. */
const longest = 24 * units.h;

/** Milliseconds of what stands between `<wait` and `>`: nothing, whole seconds, or a duration as Go writes them. */
export function parseWait(text: string, fail: (message: string, hint: string) => BakeError): number {
  const milliseconds = text === '' ? units.s : /^\d+$/.test(text) ? Number(text) * units.s : parseGoDuration(text);
  if (milliseconds === undefined) throw fail('is not a wait', 'write <wait>, <wait5> for seconds, or a duration with units: <wait500ms>, <wait1m20s>');
  if (milliseconds > longest) throw fail('is longer than a day', 'the units are ns, us, ms, s, m and h; without one it is seconds');
  return milliseconds;
}

function parseGoDuration(text: string): number | undefined {
  const lower = text.toLowerCase();
  const parts = [...lower.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== lower) return undefined;
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * units[unit as keyof typeof units], 0);
}
