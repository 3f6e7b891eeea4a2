/** A place in the user's own files; `line` and `column` count from 1. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column?: number;
}

/** One finding, addressed to the user: what is wrong, where, and what to do. */
export interface Diagnostic {
  /** PascalCase and stable: programs match on it. */
  readonly code: string;
  readonly severity: 'error' | 'warning' | 'info';
  /** Lower case, no full stop, in the user's words. */
  readonly message: string;
  /** Construct path, such as `Web/Docker`. */
  readonly construct?: string;
  readonly location?: SourceLocation;
  /** What to change. */
  readonly hint?: string;
}
