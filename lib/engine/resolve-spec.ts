import { join } from 'node:path';
import { BakeError } from '../core/bake-error.js';
import { isJsonObject, type Json, type JsonObject } from '../core/json.js';
import { isAsset, isJoin, isPendingAsset, isRef, isSecret, type SecretJson } from '../plan/late.js';
import { parseRef, pick } from '../plan/plan.js';

export interface Resolution {
  /** Outputs of the steps that are done, by step id. */
  readonly outputs: ReadonlyMap<string, JsonObject>;
  /** The value of a secret; leaves it as it stands if it returns undefined. */
  readonly secret: (secret: SecretJson) => string | undefined;
  /** The folder of the staged assets. */
  readonly assets: string;
}

/**
 * A spec with its late parts filled in. What a ref leads to is resolved as well, because a connection may hold secrets by
 * reference.
 * @throws BakeError `UnresolvedRef` if a step has not produced what is referred to
 */
export function resolveSpec(spec: Json, resolution: Resolution): Json {
  if (isRef(spec)) return resolveSpec(lookUp(spec.$ref, resolution), resolution);
  if (isSecret(spec)) return resolution.secret(spec) ?? (spec as unknown as Json);
  if (isJoin(spec)) {
    const parts = spec.$join.map((part) => (typeof part === 'string' ? part : resolveSpec(part as unknown as Json, resolution)));
    if (parts.some((part) => typeof part === 'object')) return { $join: parts };
    return parts.map(String).join('');
  }
  if (isAsset(spec)) {
    if (isPendingAsset(spec)) throw new BakeError({ code: 'AssetNotStaged', source: 'bake', message: `the asset ${spec.$asset.pending} was never staged` });
    return { ...spec.$asset, path: join(resolution.assets, spec.$asset.digest) };
  }
  if (Array.isArray(spec)) return (spec as readonly Json[]).map((item) => resolveSpec(item, resolution));
  if (isJsonObject(spec)) return Object.fromEntries(Object.entries(spec).map(([key, member]) => [key, resolveSpec(member, resolution)]));
  return spec;
}

function lookUp(ref: string, { outputs }: Resolution): Json {
  const { step, output, path } = parseRef({ $ref: ref });
  const value = pick(outputs.get(step), [output, ...path]);
  if (value !== undefined) return value;
  throw new BakeError({ code: 'UnresolvedRef', message: `${step} did not give "${[output, ...path].join('.')}"`, hint: 'refer to an output that this step has on this platform' });
}
