import { BakeError } from '../../core/bake-error.js';
import { closest } from '../../core/closest.js';
import { type Location, parseLocation } from './location.js';
import { shownUrl } from './shown-url.js';

/** Hash algorithms of checksums with the length of their hex form, the weakest first. */
export const hexLengths = { md5: 32, sha1: 40, sha256: 64, sha384: 96, sha512: 128 } as const;
export type Algorithm = keyof typeof hexLengths;
export const algorithms = Object.keys(hexLengths) as readonly Algorithm[];

/** One sum that a file must have. */
export interface Sum {
  readonly algorithm: Algorithm;
  /** Lower case. */
  readonly hex: string;
}

/** How a file is known to be the right one. */
export type Checksum =
  | { readonly type: 'none' }
  | { readonly type: 'sum'; readonly sum: Sum }
  /** A file of sums, in which the downloaded file's name is looked up. */
  | { readonly type: 'list'; readonly location: Location };

const forms = 'give algo:hex (md5, sha1, sha256, sha384, sha512), the hex digits alone, file:<URL or path> of a list of sums, or none';

/**
 * Reads `sha256:<hex>`, bare hex (its length tells the algorithm), `file:<URL or path>`, or `none`.
 * @throws BakeError `InvalidChecksum`, `InvalidUrl`
 */
export function parseChecksum(text: string): Checksum {
  const given = text.trim();
  if (given === '') throw invalid('the checksum is empty', `${forms}; only "none" turns the check off`);
  if (given.toLowerCase() === 'none') return { type: 'none' };
  const [, prefix, rest = ''] = /^([^:]*):(.*)$/s.exec(given) ?? [];
  if (prefix === undefined) return { type: 'sum', sum: bareSum(given) };
  if (prefix.toLowerCase() === 'file') return { type: 'list', location: parseLocation(rest.startsWith('//') ? given : rest) };
  const algorithm = algorithms.find((known) => known === prefix.toLowerCase());
  if (algorithm !== undefined) return { type: 'sum', sum: { algorithm, hex: hexOf(algorithm, rest.trim()) } };
  if (rest.startsWith('//')) throw invalid(`the checksum "${shownUrl(given)}" is a URL`, `write file:${shownUrl(given)} for a list of sums`);
  const near = closest(prefix.replaceAll('-', ''), algorithms);
  throw invalid(`"${prefix}" is not a checksum algorithm`, near === undefined ? forms : `did you mean "${near}"? The algorithms are ${algorithms.join(', ')}`);
}

/** The algorithm whose hex form has this length. */
export function algorithmOfLength(length: number): Algorithm | undefined {
  return algorithms.find((algorithm) => hexLengths[algorithm] === length);
}

function bareSum(text: string): Sum {
  if (!/^[0-9a-f]+$/i.test(text)) throw invalid(`"${text}" is not a checksum`, forms);
  const algorithm = algorithmOfLength(text.length);
  if (algorithm !== undefined) return { algorithm, hex: text.toLowerCase() };
  const lengths = algorithms.map((name) => `${name} ${hexLengths[name]}`).join(', ');
  throw invalid(`the checksum "${text}" has ${text.length} digits, which fits no algorithm`, `the lengths are ${lengths}: was it copied in full?`);
}

function hexOf(algorithm: Algorithm, hex: string): string {
  if (!/^[0-9a-f]*$/i.test(hex)) throw invalid(`the ${algorithm} checksum "${hex}" is not hexadecimal`, 'a checksum has the digits 0-9 and a-f only');
  if (hex.length !== hexLengths[algorithm]) throw invalid(`the ${algorithm} checksum "${hex}" has ${hex.length} digits, not ${hexLengths[algorithm]}`, 'was it copied in full, and is it of this algorithm?');
  return hex.toLowerCase();
}

function invalid(message: string, hint: string): BakeError {
  return new BakeError({ code: 'InvalidChecksum', message, hint });
}
