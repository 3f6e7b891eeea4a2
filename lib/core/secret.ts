import { BakeError } from './bake-error.js';

/**
 * A value that must not be seen. A plan carries only where to find it; the engine reads it when a step needs it and
 * masks it in everything that is shown or stored.
 */
export class Secret {
  /** From an environment variable of the process that runs `bake run`. */
  static env(name: string): Secret {
    return new Secret({ from: 'env', name });
  }
  /** From a file on the machine that runs `bake run`; one line end at the end is dropped. */
  static file(path: string): Secret {
    return new Secret({ from: 'file', path });
  }
  /** Written in the source: whoever reads `image.ts` knows it. For tests and throw-away values; it never reaches a plan either. */
  static insecureLiteral(value: string): Secret {
    return new Secret({ from: 'literal', value });
  }
  /** From a variable of the app that is declared `sensitive`; see `Variable`. */
  static variable(name: string): Secret {
    return new Secret({ from: 'variable', name });
  }

  readonly origin: SecretOrigin;

  private constructor(origin: SecretOrigin) {
    this.origin = origin;
    if (origin.from === 'literal') Object.defineProperty(this, 'origin', { enumerable: false });
  }

  /** @throws BakeError `LateValueAsText` through template strings: use the `str` tag */
  toString(): string {
    throw lateValueAsText('a secret');
  }
  toJSON(): never {
    throw lateValueAsText('a secret');
  }
}

export type SecretOrigin =
  | { readonly from: 'env'; readonly name: string }
  | { readonly from: 'file'; readonly path: string }
  | { readonly from: 'variable'; readonly name: string }
  | { readonly from: 'literal'; readonly value: string };

/** The error of using a value as text that is known only while the plan is carried out. */
export function lateValueAsText(what: string): BakeError {
  return new BakeError({
    code: 'LateValueAsText',
    message: `${what} was used as a text, but it is known only while the plan is carried out`,
    hint: 'put the tag str before the template string: str`value: ${x}`',
  });
}
