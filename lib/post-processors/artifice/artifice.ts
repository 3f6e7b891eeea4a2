import type { CompiledStep, PostProcessorScope } from '../../image/compile.js';
import { PostProcessor, type PostProcessorProps } from '../../image/post-processor.js';
import type { TextInput } from '../../image/ref.js';
import { artificeStep } from './steps.js';

export interface ArtificeProps extends PostProcessorProps {
  /** Files that are there by then, relative to the folder of `image.ts`; globs such as `out/*.deb` and `out/**` may be among them. Each must match something. */
  readonly files: readonly TextInput[];
}

/**
 * Puts files that a provisioner (a `File` download, a `ShellLocal`) left on this machine in the place of the artifact, so that other
 * post-processors work on them. The input is removed unless `keepInputArtifact` is true. The files themselves are never
 * removed by `bake`, as it did not make them.
 * @example
 * const packages = new Artifice(this, 'Packages', { files: ['out/*.deb'] });
 * new Checksum(this, 'Sums', { input: packages });
 */
export class Artifice extends PostProcessor<ArtificeProps> {
  readonly propNames = { files: true } as const;
  readonly keepsInputByDefault = false;

  compile({ files, keepInputArtifact }: ArtificeProps, { artifact }: PostProcessorScope): CompiledStep {
    const count = Array.isArray(files) ? files.length : 0;
    const title = count === 1 && typeof files[0] === 'string' ? `take ${files[0]}` : `take files: ${count} patterns`;
    return { kind: artificeStep, title, spec: { artifact, files, keepsInput: keepInputArtifact === true } };
  }
}
