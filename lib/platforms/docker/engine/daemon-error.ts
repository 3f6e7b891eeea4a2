import { BakeError, type BakeErrorOptions } from '../../../core/bake-error.js';

/** What docker-modem throws: a system error, or an answer of the daemon's. */
interface ModemError {
  readonly code?: string;
  readonly statusCode?: number;
  readonly json?: { readonly message?: string } | null;
  readonly message?: string;
}

const unreachable = new Set(['ECONNREFUSED', 'ENOENT', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'EAI_AGAIN']);
const broken = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED', 'HPE_INVALID_EOF_STATE']);

/** The status of the daemon's answer; undefined if it gave none. */
export function statusOf(error: unknown): number | undefined {
  return (error as ModemError | null)?.statusCode;
}

/** What the daemon said, without docker-modem's wrapping. */
export function reasonOf(error: unknown): string {
  const { json, message } = (error ?? {}) as ModemError;
  const said = json?.message ?? (message ?? String(error)).replace(/^\(HTTP code \d+\) [^-]* - /, '');
  return said.trim().replace(/^Error response from daemon: /, '').replace(/\.$/, '');
}

/** Whether it was the connection to the daemon that failed, not the call. */
export function isDisconnection(error: unknown): boolean {
  const { code, message } = (error ?? {}) as ModemError;
  return statusOf(error) === undefined && ((code !== undefined && (unreachable.has(code) || broken.has(code) || code === 'EACCES')) || /socket hang up|premature close|aborted/i.test(message ?? ''));
}

/**
 * The error to show for a failed call: `DockerUnavailable` if the daemon could not be reached or went away, else what
 * `describe` makes of the daemon's own words.
 */
export function daemonError(error: unknown, describe: (reason: string, status: number | undefined) => BakeErrorOptions): BakeError {
  if (BakeError.is(error)) return error;
  if (isDisconnection(error)) return unavailable(error as ModemError);
  return new BakeError({ source: 'platform', cause: error, ...describe(reasonOf(error), statusOf(error)) });
}

/** The hint that goes with a daemon that does not answer. */
export const startHint = 'start it with "systemctl start docker" (or "dockerd &" without systemd); if it is not installed, "apt-get install -y docker.io" does it; if it listens elsewhere, set DOCKER_HOST';

function unavailable(error: ModemError): BakeError {
  const common = { code: 'DockerUnavailable', source: 'platform', transient: true, cause: error } as const;
  if (error.code === 'EACCES') {
    return new BakeError({ ...common, transient: false, message: 'the Docker daemon does not let this user in', hint: 'run "usermod -aG docker <user>" as root and log in again, or run bake as root' });
  }
  const went = !unreachable.has(error.code ?? '');
  return new BakeError({ ...common, message: went ? `the Docker daemon went away: ${error.message ?? ''}` : `the Docker daemon does not answer: ${error.message ?? ''}`, hint: startHint });
}
