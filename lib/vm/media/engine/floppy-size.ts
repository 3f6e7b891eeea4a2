import { BakeError } from '../../../core/bake-error.js';
import { formatBytes } from '../../../core/size.js';
import type { MediumEntry } from './medium-tree.js';

/** The two sizes that drives take, in the geometry that mformat gives them; sectors have 512 bytes. */
const floppies = [
  { kibibytes: 1440, sectors: 2880, cluster: 512, tables: 2 * 9, rootEntries: 224 },
  { kibibytes: 2880, sectors: 5760, cluster: 1024, tables: 2 * 9, rootEntries: 240 },
] as const;
const sector = 512;
const entrySize = 32;
/** Characters of a long name that one entry takes. */
const nameEntry = 13;

/**
 * The smallest floppy, in KiB, that holds a tree: known before anything is written.
 * @throws BakeError `FloppyFull` with the sizes; `InvalidMediumFile` for what FAT cannot hold
 */
export function floppySizeFor(entries: readonly MediumEntry[]): 1440 | 2880 {
  for (const entry of entries) checkName(entry);
  const folders = new Map<string, number>([['', 1]]); // the label takes one entry of the root
  for (const { path, what } of entries) {
    if (what.type === 'directory') folders.set(path, 2);
    const slash = path.lastIndexOf('/');
    const parent = slash < 0 ? '' : path.slice(0, slash);
    folders.set(parent, (folders.get(parent) ?? 2) + slotsOf(path.slice(slash + 1)));
  }
  const inRoot = folders.get('') ?? 0;
  folders.delete('');
  const sizes = [...entries.map(({ size }) => size), ...[...folders.values()].map((slots) => slots * entrySize)];
  const needs = (cluster: number) => sizes.reduce((sum, size) => sum + Math.ceil(size / cluster) * cluster, 0);
  const fitting = floppies.find((floppy) => needs(floppy.cluster) <= roomOf(floppy) && inRoot <= floppy.rootEntries);
  if (fitting !== undefined) return fitting.kibibytes;

  const [, largest] = floppies;
  if (inRoot > largest.rootEntries) throw floppyFull(`the root of a floppy has room for ${largest.rootEntries} names, and the files need ${inRoot} (a long name takes several)`);
  const files = [...entries].sort((a, b) => b.size - a.size).slice(0, 5).map(({ path, size }) => `${path} (${formatBytes(size)})`);
  throw floppyFull(`the files need ${formatBytes(needs(largest.cluster))}, and a floppy has room for ${formatBytes(roomOf(largest))}; the largest: ${files.join(', ')}`);
}

function roomOf({ sectors, cluster, tables, rootEntries }: (typeof floppies)[number]): number {
  const bytes = (sectors - 1 - tables) * sector - rootEntries * entrySize;
  return bytes - bytes % cluster;
}

function floppyFull(message: string): BakeError {
  return new BakeError({ code: 'FloppyFull', message, hint: 'put less on it, use folders where there are many files, or use a CD (cdFiles, cdContent)' });
}

/** A name of another form than 8.3 takes further entries. */
function slotsOf(name: string): number {
  return /^[A-Z0-9_-]{1,8}(\.[A-Z0-9_-]{1,3})?$/.test(name) ? 1 : 1 + Math.ceil(name.length / nameEntry);
}

function checkName({ path, what }: MediumEntry): void {
  const fail = (message: string, hint: string) => { throw new BakeError({ code: 'InvalidMediumFile', message, hint }); };
  if (what.type === 'link') fail(`a floppy cannot hold the link ${path}`, 'put the file itself there');
  const bad = /[:*?"<>|\\\u0000-\u001f]/.exec(path)?.[0];
  if (bad !== undefined) fail(`a floppy cannot hold the name ${path}, which has ${JSON.stringify(bad)} in it`, 'give the file another name');
  if (/[. ](\/|$)/.test(path)) fail(`a floppy cannot hold the name ${path}: there, a name does not end in a dot or a space`, 'give the file another name');
}
