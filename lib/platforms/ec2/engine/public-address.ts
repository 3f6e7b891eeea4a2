import { isIP } from 'node:net';
import { BakeError } from '../../../core/bake-error.js';
import type { StepContext } from '../../../engine/handler.js';

/** Amazon's own service for this. */
const service = 'https://checkip.amazonaws.com/';
const longest = 10_000;

/** The address under which this computer is seen from outside. @throws BakeError `PublicAddressUnknown` */
export async function publicAddress({ signal }: Pick<StepContext, 'signal'>): Promise<string> {
  try {
    const answer = await fetch(service, { signal: AbortSignal.any([signal, AbortSignal.timeout(longest)]) });
    const text = (await answer.text()).trim();
    if (!answer.ok || isIP(text) === 0) throw new Error(`it answered ${answer.status}`);
    return text;
  } catch (cause) {
    signal.throwIfAborted();
    throw new BakeError({ code: 'PublicAddressUnknown', source: 'platform', message: `${service} could not say which address this computer has: ${(cause as Error).message}`, hint: "say who may come in: allowFrom: ['203.0.113.7/32'], or use securityGroupIds", transient: true, cause });
  }
}
