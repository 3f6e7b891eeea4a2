import type { Construct } from 'constructs';
import type { CompiledStep, PostProcessorScope } from '../../image/compile.js';
import { outputName } from '../../image/output-name.js';
import { PostProcessor, type PostProcessorProps } from '../../image/post-processor.js';
import type { TextInput } from '../../image/ref.js';
import { manifestStep } from './steps.js';

export interface ManifestProps extends PostProcessorProps {
  /** The manifest file, relative to the folder of `image.ts`; `{image}`, `{build}` and `{platform}` are filled in. @default 'bake-manifest.json' */
  readonly output?: TextInput;
  /** Writes only the names of files, without their folders. @default false */
  readonly stripPath?: boolean;
  /** Leaves `build_time` out of the entry. @default false */
  readonly stripTime?: boolean;
  /** More facts for whoever reads the manifest. @default - `custom_data` is null */
  readonly customData?: Readonly<Record<string, TextInput>>;
}

/**
 * Adds what a build made to a JSON file that programs read, in the shape of Packer's manifest:
 * `{builds: [{name, builder_type, build_time, files: [{name, size}], artifact_id, packer_run_uuid, custom_data}], last_run_uuid}`,
 * where `name` is the source's id, `build_time` is in seconds since the epoch, and the run's id stands for the UUID; `build` and `step`, the construct paths of
 * the source and of the step, are additions. Files of the project are named relative to it. Builds at the same time, also of other
 * processes, add to the same file safely. With `--force` a run starts the file anew. An entry stays as long
 * as the build's artifacts do: it is taken back if a later step of its build fails.
 */
export class Manifest extends PostProcessor<ManifestProps> {
  readonly propNames = { output: true, stripPath: true, stripTime: true, customData: true } as const;
  readonly keepsInputByDefault = true;

  constructor(scope: Construct, id: string, props: ManifestProps = {}) {
    super(scope, id, props);
  }

  compile({ output = 'bake-manifest.json', stripPath, stripTime, customData }: ManifestProps, scope: PostProcessorScope): CompiledStep {
    const path = outputName(output, this, scope);
    return { kind: manifestStep, title: `manifest: ${typeof path === 'string' ? path : 'add the artifact'}`, spec: { artifact: scope.artifact, output: path, stripPath, stripTime, customData } };
  }
}
