/** A request that got no answer, or one that broke off. */
export class HttpFailure extends Error {
  /** Whether another try may help. */
  readonly transient: boolean;
  /** What the user can do about it. */
  readonly hint: string | undefined;
  /** Milliseconds that the server wants to be left alone. */
  readonly retryAfter: number | undefined;

  constructor(message: string, options: { readonly transient: boolean; readonly hint?: string | undefined; readonly retryAfter?: number | undefined; readonly cause?: unknown }) {
    super(message, { cause: options.cause });
    this.transient = options.transient;
    this.hint = options.hint;
    this.retryAfter = options.retryAfter;
  }
}

const closed = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'HPE_INVALID_EOF_STATE']);
const passing = new Set(['ETIMEDOUT', 'EAI_AGAIN', 'ENETUNREACH', 'EHOSTUNREACH', 'ENETDOWN']);
const certificate = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/;

/** What an error of Node's HTTP client means; a failure comes back as it is. */
export function failureOf(error: unknown): HttpFailure {
  if (error instanceof HttpFailure) return error;
  const { code = '', message } = error instanceof Error ? (error as NodeJS.ErrnoException) : { message: String(error) };
  if (closed.has(code)) return new HttpFailure('the connection was closed', { transient: true, cause: error });
  if (code === 'ECONNREFUSED') return new HttpFailure('the connection was refused', { transient: true, cause: error });
  if (code === 'ENOTFOUND') return new HttpFailure('no such host', { transient: false, cause: error });
  // Several addresses of one host: the message of the whole is empty.
  const reason = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0].message : message;
  return new HttpFailure(reason === '' ? code : reason, {
    transient: passing.has(code) || code.startsWith('HPE_'),
    hint: certificate.test(code) ? 'if its certificate is of an authority of your own, name that one\'s file in NODE_EXTRA_CA_CERTS' : undefined,
    cause: error,
  });
}
