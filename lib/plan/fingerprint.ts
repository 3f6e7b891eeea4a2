import { canonicalJson, isJsonObject, type Json, type JsonObject, sha256 } from '../core/json.js';
import { isAsset, isPendingAsset, isRef, isSecret, type RefJson, type SecretJson } from './late.js';

/** What stands in for the late parts of a spec where only their identity counts. */
export interface Stand {
  /** What identifies the value that a ref leads to. */
  ref(ref: RefJson): Json;
  /** Different for different secrets, and telling nothing of them. */
  secret(secret: SecretJson): Json;
}

/** A spec with every late part replaced by what identifies it, and every asset by its digest. */
export function identifyingSpec(spec: Json, stand: Stand): Json {
  if (isRef(spec)) return stand.ref(spec);
  if (isSecret(spec)) return stand.secret(spec);
  if (isAsset(spec) && !isPendingAsset(spec)) return { asset: spec.$asset.digest, name: spec.$asset.name, type: spec.$asset.type };
  if (Array.isArray(spec)) return (spec as readonly Json[]).map((item) => identifyingSpec(item, stand));
  if (isJsonObject(spec)) return Object.fromEntries(Object.entries(spec).map(([key, member]) => [key, identifyingSpec(member, stand)]));
  return spec;
}

/** 64 hex digits; the same for the same inputs whatever the order of their keys. */
export function fingerprintOf(inputs: JsonObject): string {
  return sha256(canonicalJson(inputs));
}
