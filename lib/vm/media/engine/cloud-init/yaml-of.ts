import type { JsonObject } from '../../../../core/json.js';

/** What JSON lets stand in a text and YAML does not. */
const unprintable = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** An object as YAML, of which JSON is a part, but for a few characters. */
export function yamlOf(document: JsonObject): string {
  const json = JSON.stringify(document, undefined, 2);
  return `${json.replace(unprintable, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}

/** A cloud-config with its head. */
export function cloudConfigOf(document: JsonObject): string {
  return `#cloud-config\n${yamlOf(document)}`;
}
