import type { CompiledStep, PostProcessorScope } from '../../image/compile.js';
import { PostProcessor, type PostProcessorProps } from '../../image/post-processor.js';
import type { TextInput } from '../../image/ref.js';
import type { DockerAuthProps } from './docker-base.js';
import { pushStep } from './steps.js';

export interface DockerPushProps extends PostProcessorProps {
  /** Login at the registry. @default - the logins of `docker login`, credential helpers included */
  readonly auth?: DockerAuthProps;
  /** Pushes this platform of a multi-platform image; needs Docker 28. @default - all that the daemon has */
  readonly platform?: TextInput;
}

/** Pushes an image under all of its names to their registries. Its artifact has the digest in `data.digest`. */
export class DockerPush extends PostProcessor<DockerPushProps> {
  readonly propNames = { auth: true, platform: true } as const;
  readonly keepsInputByDefault = true;

  compile({ auth, platform }: DockerPushProps, { artifact }: PostProcessorScope): CompiledStep {
    return { kind: pushStep, title: 'push to the registry', spec: { artifact, auth, platform } };
  }
}
