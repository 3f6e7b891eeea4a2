import { BakeError } from '../../../core/bake-error.js';
import type { StepContext } from '../../../engine/handler.js';
import type { Ec2Port, ImageFacts } from './ec2-port.js';
import { tokenTag } from './stamps.js';

interface NameWish {
  readonly name?: string | undefined;
  readonly namePrefix: string;
  readonly replace: boolean;
}

/** The name of a new image, which is free from now on: what has it goes if that is wished. */
export async function freeName({ name: wished, namePrefix, replace }: NameWish, ec2: Ec2Port, ctx: StepContext): Promise<string> {
  const name = wished ?? `${namePrefix}-${ctx.run.id}`;
  if (!replace && !ctx.run.force) return name;
  for (const { id, snapshots } of await namesakes(ec2, name, ctx)) {
    ctx.log(`removing ${id}, which has the name`, 'info');
    await ec2.deregisterImage(id, snapshots, ctx.signal);
  }
  return name;
}

/**
 * @param mayBe an image that has the name and is no hindrance. @default - none
 * @throws BakeError `AmiNameTaken`
 */
export async function requireFree(name: string, ec2: Ec2Port, ctx: StepContext, mayBe: (image: ImageFacts) => boolean = () => false): Promise<void> {
  if (ctx.run.force) return;
  const taken = (await namesakes(ec2, name, ctx)).find((image) => !mayBe(image));
  if (taken !== undefined) throw nameTaken(name, taken, await ec2.region());
}

/** Makes an image, and says whose the name is if it is not free after all. A call whose answer was lost and that is made again finds its own image. */
export async function makeNamed(name: string, ec2: Ec2Port, ctx: StepContext, make: () => Promise<string>): Promise<string> {
  try {
    return await make();
  } catch (error) {
    if (!BakeError.is(error) || error.code !== 'Ec2NameTaken') throw error;
    const [taken] = await namesakes(ec2, name, ctx);
    if (taken?.tags[tokenTag] === ctx.token) return taken.id;
    throw nameTaken(name, taken, await ec2.region());
  }
}

function namesakes(ec2: Ec2Port, name: string, ctx: StepContext): Promise<readonly ImageFacts[]> {
  // A filter takes * and ? for others, and no name of an image has them.
  return ec2.images({ owners: ['self'], filters: { name: [name] }, includeDeprecated: true }, ctx.signal);
}

function nameTaken(name: string, taken: ImageFacts | undefined, region: string): BakeError {
  return new BakeError({ code: 'AmiNameTaken', message: `this account has an image "${name}" already in ${region}${taken === undefined ? '' : `: ${taken.id}, of ${taken.created}`}`, hint: 'put build.runId or a version into amiName, or replace it: forceDeregister: true, or --force' });
}
