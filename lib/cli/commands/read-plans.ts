import { readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { BakeError } from '../../core/bake-error.js';
import { isJsonObject } from '../../core/json.js';
import { parsePlan } from '../../plan/parse-plan.js';
import type { Plan } from '../../plan/plan.js';

/**
 * Plans from a `bake.out` folder, from one plan's file, or from what `bake synth --json` wrote. All of it may be anything.
 * @throws BakeError `PlanNotFound`, `PlanInvalid`, `PlanTooNew`
 */
export async function readPlans(path: string): Promise<readonly Plan[]> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) throw new BakeError({ code: 'PlanNotFound', message: `there is no plan at ${path}`, hint: 'run "bake synth" to make one, or name another file or folder' });
  if (!info.isDirectory()) return plansOf(await readFile(path, 'utf8'), path);
  const manifest = join(path, 'manifest.json');
  const text = await readFile(manifest, 'utf8').catch((error: Error) => {
    throw new BakeError({ code: 'PlanNotFound', message: `${path} holds no plan: ${error.message}`, hint: 'run "bake synth" to make one', cause: error });
  });
  return Promise.all(planFiles(text, manifest).map(async (name) => {
    const file = resolve(path, name);
    return parsePlan(await readFile(file, 'utf8').catch((error: Error) => { throw invalid(manifest, error.message); }), file);
  }));
}

function planFiles(text: string, origin: string): readonly string[] {
  const images = member(parse(text, origin), 'images');
  if (!Array.isArray(images)) throw invalid(origin, 'it has no list "images"');
  return images.map((image: unknown) => {
    const name = member(image, 'plan');
    if (typeof name !== 'string' || basename(name) !== name) throw invalid(origin, 'the name of a plan is no file name');
    return name;
  });
}

function plansOf(text: string, origin: string): readonly Plan[] {
  const plans = member(parse(text, origin), 'plans');
  return Array.isArray(plans) ? plans.map((plan, index) => parsePlan(JSON.stringify(plan), `${origin}, plan ${index + 1}`)) : [parsePlan(text, origin)];
}

function parse(text: string, origin: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(origin, (error as Error).message);
  }
}

function member(value: unknown, name: string): unknown {
  return isJsonObject(value) ? value[name] : undefined;
}

function invalid(origin: string, why: string): BakeError {
  return new BakeError({ code: 'PlanInvalid', message: `${origin} is no plan: ${why}`, hint: 'run "bake synth" again, or name a bake.out folder, a plan in one, or a file that "bake synth --json" wrote' });
}
