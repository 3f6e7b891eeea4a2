import type { StepContext } from '../../../engine/handler.js';
import type { Tags } from './ec2-port.js';

/** On everything that bake makes: the run, and the step of it. */
export const runTag = 'bake:run';
export const tokenTag = 'bake:token';
/** Path of the build: what later runs make in the place of it has the same. */
export const buildTag = 'bake:build';
/** What the project is called that has the build. */
export const projectTag = 'bake:project';
/** Where it can be seen whether the run is alive. */
export const homeTag = 'bake:home';
/** `temporary`, or `finished` of an image that its build has completed. */
export const stateTag = 'bake:state';

/** The tags of a new thing: the user's, a name for people, and the stamp. */
export function stamped(tags: Tags | undefined, ctx: Pick<StepContext, 'token' | 'run' | 'step'>): Tags {
  return { Name: `bake ${ctx.step.build}`, ...tags, ...(ctx.run.home === undefined ? {} : { [homeTag]: ctx.run.home }), ...(ctx.run.projectName === undefined ? {} : { [projectTag]: tagValue(ctx.run.projectName) }), [buildTag]: ctx.step.build, [runTag]: ctx.run.id, [tokenTag]: ctx.token, [stateTag]: 'temporary' };
}

/** Only with characters that every service of Amazon takes in a tag. */
export function tagValue(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N} _.:/=+@-]/gu, '-').slice(0, 256);
}

/** The run of a stamp. */
export function runOf(token: string): string {
  return token.slice(0, token.lastIndexOf('-'));
}
