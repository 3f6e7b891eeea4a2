import type { Diagnostic, SourceLocation } from './diagnostic.js';

/** Who has to act: the user, the platform, or we ourselves. */
export type ErrorSource = 'user' | 'bake' | 'platform';

export interface BakeErrorOptions {
  /** PascalCase and stable, such as `CommunicatorTimeout`. */
  readonly code: string;
  /** Lower case, no full stop: what is wrong, with the bad value. */
  readonly message: string;
  /** @default 'user' */
  readonly source?: ErrorSource;
  /** What to change or to run. */
  readonly hint?: string;
  /** Construct path; the engine fills it in from the step that failed. */
  readonly construct?: string;
  /** The user's line; the engine fills it in from the step that failed. */
  readonly location?: SourceLocation;
  /** Several findings reported at once, as by synth. */
  readonly diagnostics?: readonly Diagnostic[];
  /** The machine's last output lines. */
  readonly output?: readonly string[];
  /** Whether trying the same thing again may help (a lost connection, a throttled request). @default false */
  readonly transient?: boolean;
  readonly cause?: unknown;
}

const brand = Symbol.for('bake-sdk.BakeError');

/** The one error type that crosses folders. Anything else that is thrown is a bug of ours or of the user's file. */
export class BakeError extends Error {
  static is(value: unknown): value is BakeError {
    return typeof value === 'object' && value !== null && brand in value;
  }

  /** Wraps whatever was thrown; a `BakeError` passes through. */
  static from(value: unknown): BakeError {
    if (BakeError.is(value)) return value;
    const message = value instanceof Error ? value.message : String(value);
    return new BakeError({ code: 'Unexpected', source: 'bake', message, cause: value });
  }

  readonly code: string;
  readonly source: ErrorSource;
  readonly hint: string | undefined;
  readonly construct: string | undefined;
  readonly location: SourceLocation | undefined;
  readonly diagnostics: readonly Diagnostic[];
  readonly output: readonly string[];
  readonly transient: boolean;

  constructor(options: BakeErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'BakeError';
    Object.defineProperty(this, brand, { value: true });
    this.code = options.code;
    this.source = options.source ?? 'user';
    this.hint = options.hint;
    this.construct = options.construct;
    this.location = options.location;
    this.diagnostics = options.diagnostics ?? [];
    this.output = options.output ?? [];
    this.transient = options.transient ?? false;
  }

  /** The same error with what the caller knows and the thrower did not. */
  with(more: Partial<BakeErrorOptions>): BakeError {
    const { code, source, message, hint, construct, location, diagnostics, output, transient, cause } = this;
    const mine = { code, source, message, hint, construct, location, diagnostics, output, transient, cause };
    const known = Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined));
    return new BakeError({ ...mine, ...known });
  }
}
