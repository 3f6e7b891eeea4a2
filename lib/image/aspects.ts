import type { IConstruct } from 'constructs';

const aspects = Symbol.for('bake-sdk.aspects');

/** A visitor of every construct below the scope it was added to. */
export interface Aspect {
  visit(node: IConstruct): void;
}

export type AspectPhase = 'mutate' | 'check';

/**
 * Rules for a whole tree. Aspects of the phase `mutate` run first and may add constructs, tags and annotations; then the
 * tree is locked and those of the phase `check` look at it and annotate.
 * @example Aspects.of(app).add({ visit: (node) => { if (Image.isImage(node)) Tags.of(node).add('team', 'web'); } });
 */
export class Aspects {
  static of(scope: IConstruct): Aspects {
    const holder = scope as { [aspects]?: Aspects };
    if (holder[aspects] === undefined) Object.defineProperty(scope, aspects, { value: new Aspects() });
    return holder[aspects]!;
  }

  readonly #all: { readonly aspect: Aspect; readonly phase: AspectPhase }[] = [];

  private constructor() {}

  /** @param phase @default 'mutate' */
  add(aspect: Aspect, phase: AspectPhase = 'mutate'): void {
    this.#all.push({ aspect, phase });
  }

  ofPhase(phase: AspectPhase): readonly Aspect[] {
    return this.#all.filter((entry) => entry.phase === phase).map((entry) => entry.aspect);
  }
}
