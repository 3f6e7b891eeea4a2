import type { CompiledStep, PostProcessorScope } from '../../image/compile.js';
import { PostProcessor, type PostProcessorProps } from '../../image/post-processor.js';
import type { TextInput } from '../../image/ref.js';
import { importStep } from './steps.js';

export interface DockerImportProps extends PostProcessorProps {
  /** The new image's name, without a tag. @default - none: the image has its id only */
  readonly repository?: TextInput;
  /** @default 'latest' if there is a repository */
  readonly tag?: TextInput;
  /** Dockerfile instructions for it: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, USER, VOLUME, WORKDIR … A root tree has none of its own. @default - none */
  readonly changes?: readonly TextInput[];
  /** @default - none */
  readonly message?: TextInput;
  /** `linux/arm64` and the like. @default - the daemon's own */
  readonly platform?: TextInput;
  /** Labels of the image. @default - none */
  readonly labels?: Readonly<Record<string, TextInput>>;
}

/** Makes an image with the daemon from the tarball of a root tree: a `docker.export`, a `rootfs.tarball`. It takes the tarball's place. */
export class DockerImport extends PostProcessor<DockerImportProps> {
  readonly propNames = { repository: true, tag: true, changes: true, message: true, platform: true, labels: true } as const;
  readonly keepsInputByDefault = false;

  compile({ repository, tag, changes, message, platform, labels }: DockerImportProps, { artifact }: PostProcessorScope): CompiledStep {
    const title = typeof repository === 'string' ? `import as ${repository}` : 'import as an image';
    return { kind: importStep, title, spec: { artifact, repository, tag, changes, message, platform, labels } };
  }
}
