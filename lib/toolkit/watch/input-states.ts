import { lstatSync, readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';

export interface InputPlaces {
  readonly project: string;
  readonly outDir: string;
}

/** The files and folders that an app is made of, each with what tells one state of it from another. Inputs are never taken out again. */
export class InputStates {
  readonly #places: InputPlaces;
  readonly #inputs = new Set<string>();
  #states = new Map<string, string>();

  constructor(places: InputPlaces) {
    this.#places = places;
  }

  /** Takes a path in, as it is now; true if it is new. What it holds is taken in by the next look. */
  add(path: string): boolean {
    if (this.#inputs.has(path)) return false;
    this.#inputs.add(path);
    const facts = factsOf(path);
    if (facts?.isDirectory() !== true) this.#states.set(path, stateOf(facts, []));
    return true;
  }

  get count(): number {
    return this.#inputs.size;
  }

  /** The paths that have changed since the last look, and the folders in which the next changes will show. */
  look(): { readonly changed: readonly string[]; readonly folders: ReadonlySet<string> } {
    const isOwn = ownPaths(this.#places);
    const states = new Map<string, string>();
    const folders = new Set<string>();
    const see = (path: string, facts: Stats | undefined): void => {
      if (states.has(path)) return;
      const names = facts?.isDirectory() === true ? namesIn(path).filter((name) => !isOwn(join(path, name))) : [];
      states.set(path, stateOf(facts, names));
      if (facts?.isDirectory() === true) folders.add(path);
      for (const name of names) see(join(path, name), factsOf(join(path, name), lstatSync)); // a link to a folder above it would have no end
    };
    for (const path of this.#inputs) {
      folders.add(nearestFolder(dirname(path)));
      see(path, factsOf(path));
    }
    const changed = [...states].filter(([path, state]) => this.#states.has(path) && this.#states.get(path) !== state).map(([path]) => path);
    this.#states = states;
    return { changed, folders };
  }
}

function stateOf(facts: Stats | undefined, names: readonly string[]): string {
  if (facts === undefined) return 'none';
  return facts.isDirectory() ? JSON.stringify([facts.mode, names]) : JSON.stringify([facts.mode, facts.ino, facts.size, facts.mtimeMs]);
}

function factsOf(path: string, look: (path: string, options: { throwIfNoEntry: false }) => Stats | undefined = statSync): Stats | undefined {
  try {
    return look(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // a folder above it is no folder, or closed to us
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** Where a path will show when it comes to be. */
function nearestFolder(path: string): string {
  return factsOf(path)?.isDirectory() === true || dirname(path) === path ? path : nearestFolder(dirname(path));
}

/** What `bake` writes: its own folders, and the outputs of builds, which may lie in a folder that is an input. */
function ownPaths({ project, outDir }: InputPlaces): (path: string) => boolean {
  const claims = join(project, '.bake', 'outputs');
  const outputs = namesIn(claims).map((name) => claimedPath(join(claims, name))).filter((path) => path !== undefined);
  const folders = [outDir, ...['.bake', '.git', 'node_modules'].map((name) => join(project, name)), ...outputs];
  const isPart = (path: string) => outputs.some((output) => dirname(path) === dirname(output) && basename(path).startsWith(`.${basename(output)}.`));
  return (path) => folders.some((folder) => path === folder || path.startsWith(`${folder}${sep}`)) || isPart(path);
}

function claimedPath(file: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { readonly path?: string }).path;
  } catch {
    return undefined; // it is being written
  }
}
