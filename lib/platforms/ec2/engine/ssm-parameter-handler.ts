import { BakeError } from '../../../core/bake-error.js';
import type { JsonObject } from '../../../core/json.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import type { SsmParameterSpec } from '../image-steps.js';
import type { ParameterPort, ParametersFor } from './parameter-port.js';

type Handle = JsonObject & { readonly name: string; readonly imageId: string; readonly access: JsonObject };

const dataType = 'aws:ec2:image';
/** So long Systems Manager looks at a new value before it is there. Milliseconds. */
const longestLook = 60_000;
const [firstPause, longestPause] = [50, 2_000];

/**
 * Writes the id of an image into a parameter. What it was before is in the parameter's own history, so a build that fails
 * needs no memory to put it back; the id, which no other run has, says whether the parameter is still as it was written.
 */
export function ssmParameterHandler(parametersFor: ParametersFor): ResourceHandler<SsmParameterSpec, Handle> {
  return {
    async acquire({ access, name, imageId }, ctx) {
      const parameters = parametersFor(access);
      await parameters.put(name, { value: imageId, dataType }, ctx.signal);
      await untilWritten(name, imageId, parameters, ctx);
      return { name, imageId, access };
    },
    async find(_token, { access, name, imageId }, ctx) {
      if (name === undefined) return undefined; // a secret in it is out of reach
      return (await parametersFor(access).get(name, ctx.signal))?.value === imageId ? { name, imageId, access } : undefined;
    },
    async release({ name, imageId, access }, ctx) {
      const parameters = parametersFor(access);
      const versions = await parameters.history(name, ctx.signal);
      if (versions.at(-1)?.value !== imageId) return; // somebody else has written it since
      const before = [...versions].reverse().find(({ value }) => value !== imageId);
      if (before === undefined) await parameters.remove(name, ctx.signal);
      else await parameters.put(name, before, ctx.signal);
    },
    settle: 10_000,
  };
}

/** Systems Manager says yes, then looks whether there is such an image, and forgets a value that names none without telling. */
async function untilWritten(name: string, imageId: string, parameters: ParameterPort, { clock, signal }: StepContext): Promise<void> {
  const deadline = clock.now() + longestLook;
  for (let pause = firstPause; (await parameters.get(name, signal))?.value !== imageId; pause = Math.min(pause * 2, longestPause)) {
    if (clock.now() > deadline) throw new BakeError({ code: 'SsmParameterRefused', source: 'platform', message: `Systems Manager did not put ${imageId} into ${name}`, hint: 'it must be allowed to see the image (ec2:DescribeImages), and nobody else may be writing the parameter', transient: true });
    await clock.sleep(pause, signal);
  }
}
