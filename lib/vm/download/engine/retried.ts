import { BakeError } from '../../../core/bake-error.js';
import type { StepContext } from '../../../engine/handler.js';
import { HttpFailure } from './http-failure.js';

const firstDelay = 500;
const longestDelay = 8_000;

export interface RetryOptions {
  /** How often in a row it may fail without getting any further. */
  readonly tries: number;
  /** How many bytes are there. */
  readonly reached: () => number;
  /** What is being downloaded, without credentials. */
  readonly shown: string;
}

/**
 * Does it again as long as a failure may be a passing one, with growing pauses.
 * @throws BakeError `DownloadFailed`
 */
export async function retried<T>(ctx: Pick<StepContext, 'clock' | 'signal' | 'log'>, { tries, reached, shown }: RetryOptions, attempt: () => Promise<T>): Promise<T> {
  let furthest = reached();
  for (let failures = 1; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof HttpFailure)) throw error;
      if (reached() > furthest) [furthest, failures] = [reached(), 1];
      if (!error.transient || failures >= tries) throw downloadFailed(shown, error);
      const delay = error.retryAfter ?? Math.min(firstDelay * 2 ** (failures - 1), longestDelay);
      ctx.log(`${shown}: ${error.message}; another try in ${delay / 1000} s`, 'info');
      await ctx.clock.sleep(delay, ctx.signal);
    }
  }
}

function downloadFailed(shown: string, { message, transient, hint }: HttpFailure): BakeError {
  return new BakeError({ code: 'DownloadFailed', source: 'platform', message: `${shown} could not be downloaded: ${message}`, transient, ...(hint === undefined ? {} : { hint }) });
}
