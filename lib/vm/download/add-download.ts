import type { IConstruct } from 'constructs';
import { BakeError } from '../../core/bake-error.js';
import { Annotations } from '../../image/annotations.js';
import type { BuildPlanner, PlannedStep } from '../../image/compile.js';
import { parseChecksum } from './checksum.js';
import type { Download } from './download.js';
import { parseLocation } from './location.js';
import { vmDownload } from './steps.js';

/**
 * Adds the step of a download to a build; `ref('file')` of what it gives is the path of the file. To be called from
 * `compile`: what is wrong with the download becomes annotations of the construct.
 */
export function addDownload(construct: IConstruct, build: BuildPlanner, name: string, { urls, checksum }: Download): PlannedStep {
  const names = urls.map((url) => (typeof url === 'string' ? checked(construct, () => checkedName(url)) : undefined));
  if (typeof checksum === 'string') checked(construct, () => parseChecksum(checksum));
  return build.step(name, { kind: vmDownload, title: `download ${names.find((known) => known !== undefined) ?? 'a file'}`, spec: { urls, checksum } });
}

/** The name of the file. A password in a plain text would stand in the plan for all to read. */
function checkedName(text: string): string {
  const location = parseLocation(text);
  if (location.type === 'http' && location.url.password !== '') {
    throw new BakeError({ code: 'SecretInPlan', message: `the URL of ${location.shown} has a password in it, and a plan can be read by others`, hint: "put it in as a secret: str`https://me:${Secret.env('PASSWORD')}@host/file`" });
  }
  return location.name;
}

function checked<T>(construct: IConstruct, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const { code, message, hint } = BakeError.from(error);
    Annotations.of(construct).addError(message, { code, ...(hint === undefined ? {} : { hint }) });
    return undefined;
  }
}
