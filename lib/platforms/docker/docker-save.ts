import type { CompiledStep, PostProcessorScope } from '../../image/compile.js';
import { PostProcessor, type PostProcessorProps } from '../../image/post-processor.js';
import type { TextInput } from '../../image/ref.js';
import { saveStep } from './steps.js';

export interface DockerSaveProps extends PostProcessorProps {
  /** The archive's path, relative to the folder of `image.ts`. */
  readonly path: TextInput;
}

/** Writes an image with all its layers and names to a tar archive, as `docker save` does; `docker load` reads it. */
export class DockerSave extends PostProcessor<DockerSaveProps> {
  readonly propNames = { path: true } as const;
  readonly keepsInputByDefault = true;

  compile({ path }: DockerSaveProps, { artifact }: PostProcessorScope): CompiledStep {
    return { kind: saveStep, title: typeof path === 'string' ? `save to ${path}` : 'save the image', spec: { artifact, path } };
  }
}
