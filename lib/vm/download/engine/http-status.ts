import type { HttpReply } from './http-client.js';
import { HttpFailure } from './http-failure.js';

const passing = new Set([408, 425, 429, 500, 502, 503, 504]);
const longestRetryAfter = 60;

const hints: Readonly<Record<number, string>> = {
  401: 'it wants a user and a password: put them into the URL, the password as a secret',
  403: 'it does not let us have it: is the URL complete, and are its credentials or its token still valid?',
  404: 'is the path right, and is this version still there?',
  407: 'the proxy wants a user and a password: put them into HTTP_PROXY and HTTPS_PROXY',
  410: 'it was taken away for good: look for a newer version',
};

/** The failure that an answer without a file means. */
export function statusFailure({ status, headers }: HttpReply): HttpFailure {
  const seconds = Number(headers['retry-after']);
  return new HttpFailure(`the server answered with status ${status}`, {
    transient: passing.has(status),
    hint: hints[status],
    retryAfter: seconds > 0 ? Math.min(seconds, longestRetryAfter) * 1000 : undefined,
  });
}
