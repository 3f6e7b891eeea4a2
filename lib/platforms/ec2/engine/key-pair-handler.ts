import type * as z from 'zod';
import { BakeError } from '../../../core/bake-error.js';
import type { JsonObject } from '../../../core/json.js';
import type { ResourceHandler } from '../../../engine/handler.js';
import type { ec2KeyPair } from '../steps.js';
import type { RegionFor } from './region.js';
import { stamped, tokenTag } from './stamps.js';

type Spec = z.output<(typeof ec2KeyPair)['spec']>;
type Handle = JsonObject & { readonly name: string; readonly access: JsonObject };

/** Imports the public half of the run's key for as long as the run goes on. */
export function keyPairHandler(regionFor: RegionFor): ResourceHandler<Spec, Handle> {
  return {
    async acquire(spec, ctx) {
      const name = `bake-${ctx.token}`;
      try {
        await regionFor(spec.access).ec2.importKeyPair({ name, publicKey: spec.publicKey, tags: stamped(spec.tags, ctx) }, ctx.signal);
      } catch (error) {
        if (!BakeError.is(error) || error.code !== 'Ec2NameTaken') throw error; // the token is in its name: it is of a call whose answer was lost
      }
      return { name, access: spec.access };
    },
    async find(token, { access }, ctx) {
      const [found] = await regionFor(access).ec2.keyPairs({ tags: { [tokenTag]: token } }, ctx.signal);
      return found === undefined ? undefined : { name: found.name, access };
    },
    release: ({ name, access }, ctx) => regionFor(access).ec2.deleteKeyPair(name, ctx.signal),
    settle: 5_000,
  };
}
