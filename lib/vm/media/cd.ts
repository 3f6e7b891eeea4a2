import type { CompiledStep } from '../../image/compile.js';
import type { TextInput } from '../../image/ref.js';
import { countOf, filesOf } from './holdings.js';
import { cdImage, type CdSpec } from './steps.js';

/** A CD with files of the user's, for a source that can put one into its machine. */
export interface CdProps {
  /**
   * Files and folders, relative to the folder of `image.ts`, that lie at the root of the CD: a folder with all that is in it;
   * if its path ends in a slash, only what is in it. `*` and `?` stand for characters of one name.
   * @default - none
   */
  readonly cdFiles?: readonly string[];
  /** Texts by their path on the CD; they may hold secrets and other late values. @default - none */
  readonly cdContent?: Readonly<Record<string, TextInput>>;
  /** Volume label, 32 characters at most; Windows shows the first 16. @default 'bake' */
  readonly cdLabel?: string;
}

/** The names of `CdProps`. */
export const cdPropNames: Readonly<Record<keyof Required<CdProps>, true>> = { cdFiles: true, cdContent: true, cdLabel: true };

/** The step that makes the CD, whose output `file` is the image's path; undefined if nothing is to be on it. */
export function compileCd({ cdFiles, cdContent = {}, cdLabel = 'bake' }: CdProps): CompiledStep<CdSpec> | undefined {
  const holdings = { files: filesOf(cdFiles), content: cdContent };
  if (holdings.files.length === 0 && Object.keys(cdContent).length === 0) return undefined;
  return { kind: cdImage, title: `CD ${cdLabel}: ${countOf(holdings)}`, spec: { ...holdings, label: cdLabel } };
}
