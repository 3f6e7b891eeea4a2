import * as z from 'zod';
import { isJsonObject, type Json } from '../core/json.js';

/** A value of an earlier step, as it stands in a plan. */
export interface RefJson {
  /** `<step id>#<output>`, where output may be a path: `artifact.id`. */
  readonly $ref: string;
}
/** A secret, as it stands in a plan: where to find it, never what it is. */
export interface SecretJson {
  readonly $secret:
    | { readonly from: 'env'; readonly name: string }
    | { readonly from: 'file'; readonly path: string }
    | { readonly from: 'variable'; readonly name: string }
    /** Known only to the process that ran `image.ts`. */
    | { readonly from: 'literal'; readonly index: number };
}
/** A text put together from late parts. */
export interface JoinJson {
  readonly $join: readonly (string | RefJson | SecretJson)[];
}
/** A file or folder of the user's, staged under `bake.out/assets/<digest>`. */
export interface AssetJson {
  readonly $asset: { readonly digest: string; readonly type: 'file' | 'directory'; readonly name: string; readonly size: number };
}

/** An asset as synth leaves it, before it is hashed and staged. */
export interface PendingAssetJson {
  readonly $asset: { readonly pending: string; readonly content?: string; readonly type?: 'file' | 'directory' };
}

/** What a handler gets where its spec has an asset. */
export interface StagedAsset {
  /** Absolute path of the staged copy; read only. */
  readonly path: string;
  readonly type: 'file' | 'directory';
  /** The file's own name in the user's project. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly digest: string;
}

const hasOnly = (value: unknown, key: string): boolean => isJsonObject(value) && Object.keys(value).length === 1 && key in value;

export const isRef = (value: unknown): value is RefJson => hasOnly(value, '$ref');
export const isSecret = (value: unknown): value is SecretJson => hasOnly(value, '$secret');
export const isJoin = (value: unknown): value is JoinJson => hasOnly(value, '$join');
export const isAsset = (value: unknown): value is AssetJson | PendingAssetJson => hasOnly(value, '$asset');
export const isPendingAsset = (value: unknown): value is PendingAssetJson => isAsset(value) && 'pending' in value.$asset;
export const isLate = (value: unknown): boolean => isRef(value) || isSecret(value) || isJoin(value);

/**
 * The schema of a spec field that may be known only while the plan is carried out. It admits refs and secrets as they
 * stand in a plan; the type is that of the resolved value, because that is all a handler ever sees.
 */
export function late<T extends z.ZodType>(schema: T): z.ZodType<z.output<T>> {
  return z.union([z.custom<never>(isLate), schema]) as unknown as z.ZodType<z.output<T>>;
}

/** The schema of a spec field that holds an asset: `AssetJson` in a plan, `StagedAsset` for the handler. */
export function asset(type?: 'file' | 'directory'): z.ZodType<StagedAsset> {
  const description = type === undefined ? 'a file or folder' : `a ${type === 'file' ? 'file' : 'folder'}`;
  return z.custom<StagedAsset>((value) => {
    if (isPendingAsset(value)) return true;
    const facts = isAsset(value) ? value.$asset : value;
    return isJsonObject(facts) && typeof facts['digest'] === 'string' && (type === undefined || facts['type'] === type);
  }, `must be ${description}`);
}

/** Calls `visit` for every late value and asset in `value`, depth first. */
export function walkLate(value: Json, visit: (late: RefJson | SecretJson | AssetJson | PendingAssetJson) => void): void {
  if (isRef(value) || isSecret(value) || isAsset(value)) visit(value);
  else if (Array.isArray(value)) for (const item of value as readonly Json[]) walkLate(item, visit);
  else if (isJsonObject(value)) for (const member of Object.values(value)) walkLate(member, visit);
}
