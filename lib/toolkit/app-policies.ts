import { BakeError } from '../core/bake-error.js';
import type { JsonObject } from '../core/json.js';
import type { Extension } from '../engine/extension.js';
import type { Plan } from '../plan/plan.js';
import type { PlatformPolicy } from './toolkit-api.js';

/** What the steps of some plans need of each platform that knows. @throws BakeError `NoPolicy` */
export async function appPolicies(plans: readonly Plan[], extensions: readonly Extension[], platforms: readonly string[] | undefined): Promise<readonly PlatformPolicy[]> {
  const able = extensions.filter(({ name, policy }) => policy !== undefined && (platforms === undefined || platforms.includes(name)));
  const found = await Promise.all(able.map(async ({ name, steps, policy }) => {
    const kinds = new Set(steps.map(({ kind }) => kind.kind));
    const own = plans.flatMap((plan) => plan.steps).filter(({ kind }) => kinds.has(kind));
    if (own.length === 0) return [];
    const roles = own.map(({ spec }) => ((spec['access'] as JsonObject | undefined)?.['assumeRole'] as JsonObject | undefined)?.['arn']).filter((arn) => typeof arn === 'string');
    return [{ platform: name, policy: await policy!(own), roles: [...new Set(roles)] }];
  }));
  const all = found.flat();
  if (all.length > 0) return all;
  const knowing = extensions.filter(({ policy }) => policy !== undefined).map(({ name }) => name).join(', ');
  throw new BakeError({ code: 'NoPolicy', message: 'no step of this app needs an account whose policies bake knows', hint: `it knows those of ${knowing}` });
}
