import type { IConstruct } from 'constructs';
import { BakeError } from '../core/bake-error.js';
import type { Diagnostic, SourceLocation } from '../core/diagnostic.js';
import { callSiteOf } from '../image/call-site.js';

/** Turns a place in what was executed into a place in what the user wrote. */
export type Locate = (location: SourceLocation) => SourceLocation;

/** Collects all that is wrong before anything is said. */
export class Findings {
  readonly #locate: Locate;
  readonly #all: Diagnostic[] = [];

  constructor(locate: Locate) {
    this.#locate = locate;
  }

  get all(): readonly Diagnostic[] {
    return this.#all;
  }
  get hasErrors(): boolean {
    return this.#all.some((finding) => finding.severity === 'error');
  }

  locationOf(construct: IConstruct): SourceLocation | undefined {
    // A construct made inside another of the package's own constructs has that one's line.
    for (let here: IConstruct | undefined = construct; here !== undefined; here = here.node.scope) {
      const location = callSiteOf(here);
      if (location !== undefined) return this.#locate(location);
    }
    return undefined;
  }

  add(construct: IConstruct, finding: Omit<Diagnostic, 'construct' | 'location'>): void {
    const location = this.locationOf(construct);
    const path = construct.node.path;
    const whole: Diagnostic = { ...finding, ...(path === '' ? {} : { construct: path }), ...(location === undefined ? {} : { location }) };
    const key = JSON.stringify(whole);
    if (!this.#all.some((other) => JSON.stringify(other) === key)) this.#all.push(whole);
  }

  addRaw(finding: Diagnostic): void {
    this.#all.push(finding.location === undefined ? finding : { ...finding, location: this.#locate(finding.location) });
  }

  /** Runs a piece of a construct's own code; what it throws becomes a finding. */
  guard<T>(construct: IConstruct, code: () => T): T | undefined {
    try {
      return code();
    } catch (error) {
      if (BakeError.is(error)) this.add(construct, { code: error.code, severity: 'error', message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) });
      // No type checker may have seen the props: a wrong shape shows only here.
      else this.add(construct, { code: 'InvalidProps', severity: 'error', message: `${construct.constructor.name} cannot use its props: ${error instanceof Error ? error.message : String(error)}`, hint: 'run "bake synth --check" to see which prop has the wrong type' });
      return undefined;
    }
  }
}
