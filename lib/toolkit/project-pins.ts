import { BakeError } from '../core/bake-error.js';
import { closest } from '../core/closest.js';
import { matchesGlob } from '../core/glob.js';
import type { Masker } from '../engine/masker.js';
import { PinFile, pinFileName } from '../engine/pins/pin-file.js';
import { Pins } from '../engine/pins/pins.js';
import { systemClock } from './host/clock.js';
import type { RunOptions } from './toolkit-api.js';

export type PinChoice = Pick<RunOptions, 'frozen' | 'update'>;

/** What the lookups of a project are pinned to. */
export function projectPins(project: string, masker: Masker, { frozen = false, update }: PinChoice = {}): Pins {
  const isRenewed = (what: string) => update === true || (update ?? []).some((glob) => matches(what, glob));
  return new Pins({ file: new PinFile(project, systemClock), masker, frozen, isRenewed });
}

/** Looks for mistakes before anything is begun. @throws BakeError `NoSuchPin` for a glob that matches nothing, `InvalidPinFile`, `InvalidOption` */
export async function checkPinChoice(project: string, { frozen, update }: PinChoice): Promise<void> {
  if (frozen === true && update !== undefined) throw new BakeError({ code: 'InvalidOption', message: '--frozen and --update are both given', hint: 'with --frozen nothing is looked up: leave one of them out' });
  const known = [...(await new PinFile(project, systemClock).read()).keys()];
  for (const glob of update === true ? [] : update ?? []) {
    if (known.some((what) => matches(what, glob))) continue;
    const near = closest(glob, known.flatMap(namesOf));
    const hint = near !== undefined ? `did you mean "${near}"?` : known.length === 0 ? 'nothing is pinned yet: leave --update out' : `it has ${known.slice(0, 5).map((what) => `"${what}"`).join(', ')}${known.length > 5 ? ' and more' : ''}`;
    throw new BakeError({ code: 'NoSuchPin', message: `nothing in ${pinFileName} matches --update="${glob}"`, hint });
  }
}

function matches(what: string, glob: string): boolean {
  return namesOf(what).some((name) => matchesGlob(name, glob));
}

/** `docker debian:12`, `docker`, `debian:12`. */
function namesOf(what: string): readonly string[] {
  const space = what.indexOf(' ');
  return [what, what.slice(0, space), what.slice(space + 1)];
}
