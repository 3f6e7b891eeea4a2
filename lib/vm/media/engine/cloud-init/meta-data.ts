import { type JsonObject, isJsonObject } from '../../../../core/json.js';
import type { CloudInitData } from './read-document.js';
import { yamlOf } from './yaml-of.js';

export interface MetaDataFacts {
  readonly instanceId?: string | undefined;
  readonly hostname?: string | undefined;
  /** For a machine without an instance id. */
  readonly ownId: string;
}

/** The meta-data: what the props say counts before what the user's document says. */
export function metaDataOf(given: CloudInitData = {}, { instanceId, hostname, ownId }: MetaDataFacts): string {
  const named = { ...(instanceId === undefined ? {} : { 'instance-id': instanceId }), ...(hostname === undefined ? {} : { 'local-hostname': hostname }) };
  const document = given instanceof Uint8Array ? jsonOf(given) : given;
  if (document !== undefined) return yamlOf({ 'instance-id': ownId, ...document, ...named });
  // A block of YAML, one name a line at its top level.
  const text = Buffer.from(given as Uint8Array).toString();
  const added: JsonObject = { ...(/^["']?instance-id["']?\s*:/m.test(text) ? {} : { 'instance-id': ownId }), ...named };
  const kept = text.split('\n').filter((line) => !Object.keys(named).some((name) => line.startsWith(`${name}:`)));
  return `${[...kept, ...Object.entries(added).map(([name, value]) => `${name}: ${JSON.stringify(value)}`)].filter((line) => line.trim() !== '').join('\n')}\n`;
}

function jsonOf(bytes: Uint8Array): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString());
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
