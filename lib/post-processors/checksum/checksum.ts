import type { Construct } from 'constructs';
import type { CompiledStep, PostProcessorScope } from '../../image/compile.js';
import { outputName } from '../../image/output-name.js';
import { PostProcessor, type PostProcessorProps } from '../../image/post-processor.js';
import type { TextInput } from '../../image/ref.js';
import { checksumStep } from './steps.js';

export interface ChecksumProps extends PostProcessorProps {
  /** Any hash that Node's crypto knows: `md5`, `sha1`, `sha224`, `sha256`, `sha384`, `sha512` and more. All are computed in one pass over each file. @default ['sha256'] */
  readonly algorithms?: readonly string[];
  /**
   * Where the sums go, relative to the folder of `image.ts`. `{image}`, `{build}`, `{platform}` and `{algorithm}` are filled in.
   * With `{algorithm}` there is one file for each, as `sha256sum` writes it; without it and with several algorithms, one
   * file with lines such as `SHA256 (name) = …`, as `cksum --tag` writes it.
   * @default 'bake_{image}_{build}_{platform}_{algorithm}.checksum'
   */
  readonly output?: TextInput;
}

/**
 * Writes the checksums of an artifact's files, in the format of GNU coreutils: `sha256sum -c` in the folder of the
 * checksum file checks them. Folders are opened; names are relative to the checksum file. Its artifact has the type
 * `files`: the input's files, unless `keepInputArtifact` is false, and the checksum files.
 * @example new Checksum(this, 'Sums', { algorithms: ['sha256', 'sha512'] });
 */
export class Checksum extends PostProcessor<ChecksumProps> {
  readonly propNames = { algorithms: true, output: true } as const;
  readonly keepsInputByDefault = true;

  constructor(scope: Construct, id: string, props: ChecksumProps = {}) {
    super(scope, id, props);
  }

  compile(props: ChecksumProps, scope: PostProcessorScope): CompiledStep {
    const algorithms = Array.isArray(props.algorithms) ? [...new Set(props.algorithms)] : props.algorithms ?? ['sha256'];
    const output = outputName(props.output ?? 'bake_{image}_{build}_{platform}_{algorithm}.checksum', this, scope, ['algorithm']);
    return {
      kind: checksumStep,
      title: `checksum: ${String(algorithms).replaceAll(',', ', ')}`,
      spec: { artifact: scope.artifact, algorithms, output, withInput: props.keepInputArtifact !== false },
    };
  }
}
