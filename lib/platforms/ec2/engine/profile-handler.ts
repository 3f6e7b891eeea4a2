import type * as z from 'zod';
import type { JsonObject } from '../../../core/json.js';
import type { ResourceHandler } from '../../../engine/handler.js';
import type { ec2InstanceProfile } from '../steps.js';
import type { ProfilesFor } from './profile-port.js';
import { stamped } from './stamps.js';

type Spec = z.output<(typeof ec2InstanceProfile)['spec']>;
type Handle = JsonObject & { readonly name: string; readonly access: JsonObject };

/** IAM takes longer than other services to tell everybody what there is. Milliseconds. */
const settle = 10_000;

/** An instance profile of the run; its name has the token in it, since IAM finds nothing by tags. */
export function profileHandler(profilesFor: ProfilesFor): ResourceHandler<Spec, Handle> {
  return {
    async acquire({ access, policy, managedPolicies = [], tags }, ctx) {
      const name = profileName(ctx.token);
      await profilesFor(access).create({ name, policy, managedPolicies, tags: stamped(tags, ctx) }, ctx.signal);
      return { name, access };
    },
    async find(token, { access }, ctx) {
      const name = profileName(token);
      return (await profilesFor(access).exists(name, ctx.signal)) ? { name, access } : undefined;
    },
    release: ({ name, access }, ctx) => profilesFor(access).remove(name, ctx.signal),
    settle,
  };
}

/** At most 64 characters, of which a token has 31. */
export function profileName(token: string): string {
  return `bake-${token}`;
}
