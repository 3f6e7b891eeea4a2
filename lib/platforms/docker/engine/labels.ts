import { BakeError } from '../../../core/bake-error.js';
import type { StepContext } from '../../../engine/handler.js';

/** The stamps: the run, and the step's token in it. Images made from a stamped one inherit them until they get their own. */
export const runLabel = 'dev.bake.run';
export const tokenLabel = 'dev.bake.token';
/**
 * `true` on what goes with its run: containers and base images. A finished image says `false`, because it would inherit
 * `true` from its container, and its users' containers inherit from it in turn: they must never be taken for ours.
 */
export const temporaryLabel = 'dev.bake.temporary';

export type Labels = Readonly<Record<string, string>>;

/** The stamps of what a step makes. */
export function stamp(ctx: Pick<StepContext, 'run' | 'token'>, temporary: boolean): Labels {
  return { [runLabel]: ctx.run.id, [tokenLabel]: ctx.token, [temporaryLabel]: String(temporary) };
}

/** Takes the place of the stamps of a container in an image that belongs to no run. */
export const noStamp: Labels = { [runLabel]: '', [tokenLabel]: '', [temporaryLabel]: 'false' };

/** A filter for what carries a token. */
export const withToken = (token: string): string => `${tokenLabel}=${token}`;
/** A filter for what goes with its run. */
export const isTemporary = `${temporaryLabel}=true`;

/** A label as a Dockerfile instruction. @throws BakeError `InvalidLabel` for what none can express */
export function labelChange(name: string, value: string): string {
  if (/[\r\n]/.test(name + value)) throw new BakeError({ code: 'InvalidLabel', message: `the label ${JSON.stringify(name)} has a line end in it`, hint: 'write it on one line' });
  const quote = (text: string) => `"${text.replaceAll(/["\\$]/g, '\\$&')}"`;
  return `LABEL ${quote(name)}=${quote(value)}`;
}
