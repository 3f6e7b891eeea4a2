import type { JsonObject } from '../core/json.js';
import type { ResourceHandler, StepContext } from './handler.js';
import { outputFiles } from './output-files.js';

export interface OutputFileOptions<Spec, Facts extends JsonObject> {
  /** The final path; relative to the project. */
  readonly path: (spec: Spec, ctx: StepContext) => string;
  /** Writes the whole file or folder to `part`, which is next to the final path and does not exist yet. */
  readonly write: (spec: Spec, ctx: StepContext, part: string, path: string) => Promise<Facts>;
  readonly check?: (spec: Spec, ctx: StepContext) => Promise<void>;
  /** As `check`, for a spec that is not known in full yet. */
  readonly checkKnown?: (known: Partial<Spec>, ctx: StepContext) => Promise<void>;
  /** Removes a file or folder; nothing there is success. @default - as the user who runs `bake` */
  readonly remove?: (path: string, ctx: StepContext) => Promise<void>;
}

export type OutputFileHandle<Facts extends JsonObject> = Facts & { readonly path: string };

/**
 * The handler of a step that writes one file or folder. It is written under another name and renamed when it is whole,
 * so that the final name never stands for half a file; removed again if the build fails.
 */
export function outputFile<Spec, Facts extends JsonObject>(options: OutputFileOptions<Spec, Facts>): ResourceHandler<Spec, OutputFileHandle<Facts>> {
  const { path: pathOf, write, ...others } = options;
  const files = outputFiles<Spec, Facts>({
    ...others,
    paths: (spec, ctx) => [pathOf(spec, ctx)],
    write: (spec, ctx, [part = ''], [path = '']) => write(spec, ctx, part, path),
  });
  return {
    ...(files.check === undefined ? {} : { check: files.check }),
    ...(files.checkKnown === undefined ? {} : { checkKnown: files.checkKnown }),
    async acquire(spec, ctx) {
      const { paths: [path = ''], ...facts } = await files.acquire(spec, ctx);
      return { ...(facts as unknown as Facts), path };
    },
    async find(token, spec, ctx) {
      const handle = await files.find(token, spec, ctx);
      return handle === undefined ? undefined : ({ path: handle.paths[0] } as OutputFileHandle<Facts>);
    },
    holds: ({ path }, ctx) => files.holds!({ paths: [path] } as unknown as Parameters<typeof files.release>[0], ctx),
    release: ({ path }, ctx) => files.release({ paths: [path] } as unknown as Parameters<typeof files.release>[0], ctx),
  };
}
