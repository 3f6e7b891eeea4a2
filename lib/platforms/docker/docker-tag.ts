import { BakeError } from '../../core/bake-error.js';
import type { CompiledStep, PostProcessorScope } from '../../image/compile.js';
import { PostProcessor, type PostProcessorProps } from '../../image/post-processor.js';
import { str, type TextInput } from '../../image/ref.js';
import { isRepository as isRepositoryName, isTag, referenceHint, tagHint } from './reference.js';
import { tagStep } from './steps.js';

export interface DockerTagProps extends PostProcessorProps {
  /** The name without a tag, such as `registry.example:5000/web`. */
  readonly repository: TextInput;
  /** @default ['latest'] */
  readonly tags?: readonly TextInput[];
}

/**
 * Names an image. A name that stood for another image is moved, and moved back if the build fails later on.
 * The input is kept unless told otherwise: a name is nothing without its image.
 */
export class DockerTag extends PostProcessor<DockerTagProps> {
  readonly propNames = { repository: true, tags: true } as const;
  readonly keepsInputByDefault = true;

  compile({ repository, tags = ['latest'] }: DockerTagProps, { artifact }: PostProcessorScope): CompiledStep {
    if (!Array.isArray(tags)) throw new BakeError({ code: 'InvalidProp', message: '"tags" is no list', hint: 'write tags: ["1.0"]' });
    // A repository with a tag in it, or a tag with a colon, must not slip through by being joined.
    for (const text of [repository, ...tags]) {
      const isRepository = text === repository;
      if (typeof text !== 'string' || (isRepository ? isRepositoryName(text) : isTag(text))) continue;
      throw new BakeError({ code: 'InvalidProp', message: isRepository ? `"repository" is ${JSON.stringify(text)}` : `"tags" has ${JSON.stringify(text)}`, hint: isRepository ? `${referenceHint}; without a tag, which goes into tags` : tagHint });
    }
    const names = tags.map((tag) => (typeof tag === 'string' && typeof repository === 'string' ? `${repository}:${tag}` : str`${repository}:${tag}`));
    const shown = names.filter((name) => typeof name === 'string');
    return { kind: tagStep, title: shown.length === names.length ? `tag ${shown.join(', ')}` : 'tag the image', spec: { artifact, tags: names } };
  }
}
