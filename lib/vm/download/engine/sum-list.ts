import { BakeError } from '../../../core/bake-error.js';
import { closest } from '../../../core/closest.js';
import { algorithmOfLength, algorithms, type Algorithm, type Sum } from '../checksum.js';
import type { Location } from '../location.js';

interface Entry {
  readonly sum: Sum;
  /** As it stands in the list, without a leading `./`; undefined where a line has the sum alone. */
  readonly name: string | undefined;
}

/** `<hex>  name`, `<hex> *name`, the hex alone; `\` in front if the name has escapes in it. */
const gnuLine = /^\\?([0-9a-f]{32,128})(?:[ \t]+\*?(.+))?$/i;
/** `SHA256 (name) = <hex>`; OpenSSL leaves the spaces out and writes SHA2-256. */
const bsdLine = /^(MD5|SHA-?1|SHA(?:2-)?-?(?:256|384|512))\s?\((.+)\)\s?=\s?([0-9a-f]+)$/i;

/**
 * Finds the sum of a file in a list as `sha256sum` and BSD's `sha256` write them; other lines (signatures, comments) do
 * not count. The file is found by its name; of several with that name, it is the one whose folders the URL ends with as
 * well. Of several algorithms the strongest is taken.
 * @throws BakeError `ChecksumNotListed`
 */
export function findSum(list: string, file: Location, listShown: string): Sum {
  const entries = list.split(/\r?\n/).map((line) => parseLine(line.trimEnd())).filter((entry) => entry !== undefined);
  const named = entries.filter((entry): entry is Entry & { name: string } => entry.name !== undefined);
  const sameName = named.filter(({ name }) => baseName(name) === file.name);
  const path = pathOf(file);
  const longest = Math.max(0, ...sameName.filter(({ name }) => `/${path}`.endsWith(`/${name}`)).map(({ name }) => name.length));
  const matches = longest > 0 ? sameName.filter(({ name }) => name.length === longest && `/${path}`.endsWith(`/${name}`)) : sameName;
  // A file of one sum, such as disk.img.sha256, may do without the name.
  const candidates = matches.length === 0 && named.length === 0 && entries.length === 1 ? entries : matches;
  const strongest = candidates.toSorted((a, b) => algorithms.indexOf(b.sum.algorithm) - algorithms.indexOf(a.sum.algorithm))[0]?.sum;
  if (strongest === undefined) throw notListed(file, listShown, named.map(({ name }) => name));
  const others = candidates.filter(({ sum }) => sum.algorithm === strongest.algorithm && sum.hex !== strongest.hex);
  if (others.length > 0) {
    throw new BakeError({ code: 'ChecksumNotListed', message: `${listShown} has ${others.length + 1} different ${strongest.algorithm} sums for "${file.name}": ${candidates.map(({ name }) => name).join(', ')}`, hint: 'give the checksum itself, as algo:hex' });
  }
  return strongest;
}

function parseLine(line: string): Entry | undefined {
  const bsd = bsdLine.exec(line);
  if (bsd !== null) {
    const [, label = '', name = '', hex = ''] = bsd;
    const algorithm = algorithms.find((known) => known === label.toLowerCase().replace('sha2-', 'sha').replace('-', ''));
    return algorithm === undefined ? undefined : entryOf(hex, name, algorithm);
  }
  const [, hex = '', name] = gnuLine.exec(line) ?? [];
  return entryOf(hex, name !== undefined && line.startsWith('\\') ? unescaped(name) : name);
}

function entryOf(hex: string, name: string | undefined, expected?: Algorithm): Entry | undefined {
  const algorithm = algorithmOfLength(hex.length);
  if (algorithm === undefined || (expected !== undefined && expected !== algorithm)) return undefined;
  return { sum: { algorithm, hex: hex.toLowerCase() }, name: name?.replace(/^(\.?\/)+/, '') };
}

function unescaped(name: string): string {
  return name.replace(/\\([\\nr])/g, (_, letter: string) => ({ n: '\n', r: '\r' })[letter] ?? letter);
}

function pathOf(file: Location): string {
  if (file.type === 'file') return file.path.replaceAll('\\', '/').replace(/^\/+/, '');
  try {
    return decodeURIComponent(file.url.pathname).replace(/^\/+/, '');
  } catch {
    return file.url.pathname.replace(/^\/+/, '');
  }
}

const baseName = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

function notListed(file: Location, listShown: string, names: readonly string[]): BakeError {
  const near = closest(file.name, new Set(names.map(baseName)));
  const some = [...new Set(names)].slice(0, 5).join(', ');
  return new BakeError({
    code: 'ChecksumNotListed',
    message: `${listShown} has no sum for "${file.name}"`,
    hint: near !== undefined ? `the nearest name in it is "${near}"` : names.length === 0 ? 'there is no line of a sum in it: is it the right file?' : `it names ${some}${names.length > 5 ? ' and others' : ''}`,
  });
}
