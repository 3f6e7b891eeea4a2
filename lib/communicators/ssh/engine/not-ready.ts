/** Why one attempt to get in did not succeed, where the next one may. Never leaves this folder. */
export class NotReady extends Error {
  constructor(reason: string, cause?: unknown) {
    super(reason, cause === undefined ? undefined : { cause });
    this.name = 'NotReady';
  }
}

/** Nothing answered in time; a slow machine may need more of it. */
export class NoAnswer extends NotReady {}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ENOTFOUND: 'no host of that name',
  EAI_AGAIN: 'the name service does not answer',
};

/** The reason of a failed dial in words. */
export function notReady(error: unknown): NotReady {
  if (error instanceof NotReady) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return new NotReady((code === undefined ? undefined : reasons[code]) ?? message, error);
}
