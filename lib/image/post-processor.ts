import { Construct } from 'constructs';
import type { Artifact } from '../core/artifact.js';
import type { Duration } from '../core/duration.js';
import { markCallSite } from './call-site.js';
import type { CompiledStep, PostProcessorScope } from './compile.js';
import type { CacheChoice } from './provisioner.js';
import { Ref } from './ref.js';

/** What every post-processor takes. */
export interface PostProcessorProps {
  /** Works on what this post-processor made: a chain. @default - works on the build's artifact */
  readonly input?: PostProcessor;
  /** Whether what it worked on stays. If no post-processor of an artifact keeps it, it is removed when they are done. @default - as this post-processor says: true unless it replaces its input */
  readonly keepInputArtifact?: boolean;
  /** Only for the sources with these ids; globs. @default - all sources of the image */
  readonly only?: readonly string[];
  /** Not for the sources with these ids; globs. @default - none left out */
  readonly except?: readonly string[];
  /** For each attempt. @default - no limit */
  readonly timeout?: Duration;
  /** Further attempts after a failure. @default 0 */
  readonly retries?: number;
  /** Wait before the first further attempt; doubles each time. @default Duration.seconds(1) */
  readonly retryDelay?: Duration;
  /** Reports a failure and goes on. @default false */
  readonly continueOnError?: boolean;
  /** Whether a later run with the same inputs may leave it out, as long as what it made is still there. @default true, where its inputs say all that it does */
  readonly cache?: CacheChoice;
  /** Another text here makes it run again. @default - none */
  readonly cacheKey?: string;
}

export const postProcessorPropNames: Readonly<Record<keyof Required<PostProcessorProps>, true>> = {
  input: true, keepInputArtifact: true, only: true, except: true, timeout: true, retries: true, retryDelay: true, continueOnError: true, cache: true, cacheKey: true,
};

const brand = Symbol.for('bake-sdk.PostProcessor');

/** Makes something of an artifact, once per build. Its step's output `artifact` is what a chain goes on with. */
export abstract class PostProcessor<Props extends PostProcessorProps = PostProcessorProps> extends Construct {
  static isPostProcessor(value: unknown): value is PostProcessor {
    return typeof value === 'object' && value !== null && brand in value;
  }

  readonly props: Props;
  /** What it made; needs the image to have one source, or a consumer in the same build. */
  readonly artifact: Ref<Artifact>;

  constructor(scope: Construct, id: string, props: Props) {
    super(scope, id);
    Object.defineProperty(this, brand, { value: true });
    markCallSite(this);
    this.props = props ?? {}; // no type checker may have seen it; what is missing is found when it is compiled
    this.artifact = new Ref<Artifact>({ construct: this, output: 'artifact' });
  }

  /** The names of all props of this post-processor beyond `PostProcessorProps`. */
  abstract readonly propNames: Readonly<Record<string, true>>;
  /** Whether the input artifact stays when the user says nothing. */
  abstract readonly keepsInputByDefault: boolean;

  /** The step for one build. Called by synth; pure. */
  abstract compile(props: Props, scope: PostProcessorScope): CompiledStep;
}
