import type { CompiledStep } from '../../image/compile.js';
import type { TextInput } from '../../image/ref.js';
import { countOf, filesOf } from './holdings.js';
import { floppyImage, type FloppySpec } from './steps.js';

/** A 1.44 MB floppy with files of the user's, for a source that can put one into its machine. */
export interface FloppyProps {
  /**
   * Files and folders, relative to the folder of `image.ts`, that lie at the root of the floppy: a folder with all that is in
   * it; if its path ends in a slash, only what is in it. `*` and `?` stand for characters of one name.
   * @default - none
   */
  readonly floppyFiles?: readonly string[];
  /** Folders: as in `floppyFiles`, and a file here is an error. @default - none */
  readonly floppyDirs?: readonly string[];
  /** Texts by their path on the floppy; they may hold secrets and other late values. @default - none */
  readonly floppyContent?: Readonly<Record<string, TextInput>>;
  /** FAT label, 11 characters at most; kept in capitals. @default 'bake' */
  readonly floppyLabel?: string;
}

/** The names of `FloppyProps`. */
export const floppyPropNames: Readonly<Record<keyof Required<FloppyProps>, true>> = { floppyFiles: true, floppyDirs: true, floppyContent: true, floppyLabel: true };

/** The step that makes the floppy, whose output `file` is the image's path; undefined if nothing is to be on it. */
export function compileFloppy({ floppyFiles, floppyDirs, floppyContent = {}, floppyLabel = 'bake' }: FloppyProps): CompiledStep<FloppySpec> | undefined {
  const holdings = { files: [...filesOf(floppyFiles), ...filesOf(floppyDirs, 'directory')], content: floppyContent };
  if (holdings.files.length === 0 && Object.keys(floppyContent).length === 0) return undefined;
  return { kind: floppyImage, title: `floppy ${floppyLabel}: ${countOf(holdings)}`, spec: { ...holdings, label: floppyLabel } };
}
