import type { IConstruct } from 'constructs';
import { fileURLToPath } from 'node:url';
import type { SourceLocation } from '../core/diagnostic.js';

const metadataKey = 'bake:source';

/** Everything below this folder is ours and never the user's line. */
const ownFolder = (() => {
  const here = fileURLToPath(import.meta.url).replaceAll('\\', '/');
  const folder = here.includes('/dist/') ? '/dist/' : '/lib/';
  return here.slice(0, here.lastIndexOf(folder) + folder.length);
})();

/** Notes on a construct the line where the user wrote `new`; a place in the bundle, mapped back by synth. */
export function markCallSite(construct: IConstruct): void {
  const location = callSite(constructorNames(construct));
  if (location !== undefined) construct.node.addMetadata(metadataKey, location);
}

/** The place noted by `markCallSite`. */
export function callSiteOf(construct: IConstruct): SourceLocation | undefined {
  return construct.node.metadata.find((entry) => entry.type === metadataKey)?.data as SourceLocation | undefined;
}

/** The nearest caller outside `bake`, passing over the constructors named. */
export function callSite(skipConstructors: ReadonlySet<string> = new Set()): SourceLocation | undefined {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = 40;
    Error.prepareStackTrace = (_, frames) => frames;
    const frames = new Error().stack as unknown as NodeJS.CallSite[];
    for (const frame of frames) {
      const file = pathOf(frame.getFileName());
      if (file === undefined || file.startsWith(ownFolder) || file.includes('/node_modules/')) continue;
      if (frame.isConstructor() && skipConstructors.has(frame.getFunctionName() ?? '')) continue;
      return { file, line: frame.getLineNumber() ?? 1, column: frame.getColumnNumber() ?? 1 };
    }
    return undefined;
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function constructorNames(construct: IConstruct): ReadonlySet<string> {
  const names = new Set<string>();
  for (let proto: object | null = Object.getPrototypeOf(construct); proto !== null; proto = Object.getPrototypeOf(proto)) names.add(proto.constructor.name);
  return names;
}

function pathOf(name: string | null | undefined): string | undefined {
  if (typeof name !== 'string' || name.startsWith('node:') || name === '') return undefined;
  return (name.startsWith('file:') ? fileURLToPath(name) : name).replaceAll('\\', '/');
}
