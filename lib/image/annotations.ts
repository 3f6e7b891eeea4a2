import type { IConstruct } from 'constructs';
import type { Diagnostic } from '../core/diagnostic.js';

const metadataKey = 'bake:annotation';
type Note = Pick<Diagnostic, 'code' | 'severity' | 'message' | 'hint'>;

/** Findings attached to a construct; synth shows them all, with the construct's path and line, and refuses to go on if one is an error. */
export class Annotations {
  static of(scope: IConstruct): Annotations {
    return new Annotations(scope);
  }

  readonly #scope: IConstruct;

  private constructor(scope: IConstruct) {
    this.#scope = scope;
  }

  addError(message: string, options: { readonly code?: string; readonly hint?: string } = {}): void {
    this.#add({ code: 'Annotation', severity: 'error', message, ...options });
  }
  addWarning(message: string, options: { readonly code?: string; readonly hint?: string } = {}): void {
    this.#add({ code: 'Annotation', severity: 'warning', message, ...options });
  }
  addInfo(message: string, options: { readonly code?: string; readonly hint?: string } = {}): void {
    this.#add({ code: 'Annotation', severity: 'info', message, ...options });
  }

  #add(note: Note): void {
    this.#scope.node.addMetadata(metadataKey, note);
  }
}

/** The annotations of one construct. */
export function annotationsOf(construct: IConstruct): readonly Note[] {
  return construct.node.metadata.filter((entry) => entry.type === metadataKey).map((entry) => entry.data as Note);
}
