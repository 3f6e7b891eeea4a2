import type { ExpectedText } from '../steps.js';

/** What is wrong with a text; undefined if nothing is. */
export function mismatch(name: string, text: string, expected: ExpectedText | undefined): string | undefined {
  if (expected === undefined) return undefined;
  if ('contains' in expected) return text.includes(expected.contains) ? undefined : `its ${name} does not contain ${JSON.stringify(expected.contains)}`;
  return new RegExp(expected.pattern, expected.flags).test(text) ? undefined : `its ${name} does not match /${expected.pattern}/${expected.flags}`;
}
