import type { ExecRequest } from '../../../core/ports.js';

/** A program that makes ISO 9660 images out of a folder. */
export interface IsoTool {
  readonly command: string;
  /** Prints something and changes nothing. */
  readonly probe: readonly string[];
  readonly make: (label: string, tree: string, image: string) => Pick<ExecRequest, 'args' | 'env'>;
}

/** Names are UTF-8 whatever the user's locale is; files belong to root and are readable; files may be larger than 4 GiB. */
const mkisofs = (label: string, tree: string, image: string): readonly string[] =>
  ['-quiet', '-input-charset', 'utf-8', '-iso-level', '3', '-J', '-joliet-long', '-r', '-V', label, '-o', image, tree];

/**
 * In the order in which they are looked for. The arguments are those of each program's manual (xorrisofs(1), mkisofs(8),
 * hdiutil(1), Microsoft's "Oscdimg Command-Line Options"); hdiutil and oscdimg were never run by us.
 */
export const isoTools: readonly IsoTool[] = [
  { command: 'xorriso', probe: ['-version'], make: (...place) => ({ args: ['-as', 'mkisofs', ...mkisofs(...place)] }) },
  { command: 'genisoimage', probe: ['-version'], make: (...place) => ({ args: mkisofs(...place) }) },
  { command: 'mkisofs', probe: ['-version'], make: (...place) => ({ args: mkisofs(...place) }) },
  { command: 'hdiutil', probe: ['help'], make: (label, tree, image) => ({ args: ['makehybrid', '-quiet', '-iso', '-joliet', '-default-volume-name', label, '-o', image, tree] }) },
  // No Rock Ridge here: Joliet carries the names.
  { command: 'oscdimg', probe: [], make: (label, tree, image) => ({ args: ['-q', '-j1', '-o', '-m', `-l${label}`, tree, image] }) },
];
