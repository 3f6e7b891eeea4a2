import { BakeError } from '../core/bake-error.js';
import { closest } from '../core/closest.js';
import { matchesGlob } from '../core/glob.js';
import { withNeededBuilds } from '../engine/run-state.js';
import type { Plan } from '../plan/plan.js';
import type { RunOptions } from './toolkit-api.js';

/**
 * The builds that a command line means, and those that they need.
 * @throws BakeError `NoSuchBuild` for a selector or glob that matches nothing, `NothingSelected` if all of them together leave nothing
 */
export function selectBuilds(plans: readonly Plan[], { selectors, only, except }: Pick<RunOptions, 'selectors' | 'only' | 'except'>): ReadonlySet<string> {
  const builds = plans.flatMap((plan) => plan.builds.map((build) => ({ id: build.id, names: [build.id, build.name, plan.image] })));
  const matching = (glob: string) => {
    const found = builds.filter((build) => build.names.some((name) => matchesGlob(name, glob)));
    if (found.length > 0) return found;
    const near = closest(glob, builds.flatMap((build) => build.names));
    throw new BakeError({ code: 'NoSuchBuild', message: `nothing in this app matches "${glob}"`, hint: near === undefined ? `its builds are ${builds.map((build) => build.id).join(', ')}` : `did you mean "${near}"?` });
  };
  const ids = (globs: readonly string[]) => new Set(globs.flatMap(matching).map((build) => build.id));
  const [selected, kept, dropped] = [ids(selectors), ids(only), ids(except)];
  const wanted = builds.map((build) => build.id).filter((id) => (selectors.length === 0 || selected.has(id)) && (only.length === 0 || kept.has(id)) && !dropped.has(id));
  if (wanted.length === 0 && selectors.length + only.length + except.length > 0) {
    throw new BakeError({ code: 'NothingSelected', message: `${chosenBy(selectors, only, except)} leaves no build to do`, hint: `change it so that one of them stays: ${builds.map((build) => build.id).join(', ')}` });
  }
  return withNeededBuilds(plans, new Set(wanted));
}

/** The choice as it stands on the command line. */
function chosenBy(selectors: readonly string[], only: readonly string[], except: readonly string[]): string {
  const words = [...selectors.map((glob) => `"${glob}"`), ...only.map((glob) => `--only "${glob}"`), ...except.map((glob) => `--except "${glob}"`)];
  return words.join(' ');
}
