import { readFile } from 'node:fs/promises';
import { isJsonObject, type JsonObject } from '../../../../core/json.js';
import type { StagedAsset } from '../../../../plan/late.js';

/** A document of cloud-init: an object, or the bytes of a text or file. */
export type CloudInitData = JsonObject | Uint8Array;

/** The document itself, wherever it is. */
export async function readDocument(given: StagedAsset | string | Readonly<Record<string, unknown>> | undefined): Promise<CloudInitData | undefined> {
  if (given === undefined) return undefined;
  if (typeof given === 'string') return Buffer.from(given);
  return isStaged(given) ? readFile(given.path) : given as JsonObject;
}

function isStaged(given: object): given is StagedAsset {
  return isJsonObject(given) && typeof given['path'] === 'string' && typeof given['digest'] === 'string' && given['type'] === 'file';
}
