import { BakeError } from '../../../core/bake-error.js';
import type { StepContext } from '../../../engine/handler.js';
import type { ParameterPort } from './parameter-port.js';

/** The id of the image that a parameter names: as its value, or as `image_id` in JSON, as some of Amazon's have it. @throws BakeError `NoSsmParameter`, `SsmParameterNoImage` */
export async function imageOfParameter(name: string, parameters: ParameterPort, { signal }: Pick<StepContext, 'signal'>): Promise<string> {
  const found = await parameters.get(name, signal);
  if (found === undefined) throw new BakeError({ code: 'NoSsmParameter', message: `there is no parameter ${name}`, hint: 'look at its name and the region; "aws ssm get-parameters-by-path" lists them' });
  const id = /^ami-[0-9a-f]{8,17}$/.exec(found.value.trim())?.[0] ?? /"image_id"\s*:\s*"(ami-[0-9a-f]{8,17})"/.exec(found.value)?.[1];
  if (id !== undefined) return id;
  throw new BakeError({ code: 'SsmParameterNoImage', message: `the parameter ${name} does not name an AMI: its value is "${found.value.slice(0, 60)}"`, hint: 'give one whose value is the id of an AMI' });
}
