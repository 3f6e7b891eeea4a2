import { Construct } from 'constructs';
import type { Duration } from '../core/duration.js';
import { markCallSite } from './call-site.js';
import type { CompiledStep, ProvisionerScope } from './compile.js';

/** What every provisioner takes. */
export interface ProvisionerProps {
  /** Only for the sources with these ids; globs such as `Qemu*`. @default - all sources of the image */
  readonly only?: readonly string[];
  /** Not for the sources with these ids; globs. @default - none left out */
  readonly except?: readonly string[];
  /** Props that differ for some sources, by source id. @default - the same for all */
  readonly override?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Waits before it starts. @default - starts at once */
  readonly pauseBefore?: Duration;
  /** For each attempt; the remote command is killed when it is over. @default - no limit */
  readonly timeout?: Duration;
  /** Further attempts after a failure. @default 0 */
  readonly retries?: number;
  /** Wait before the first further attempt; doubles each time. @default Duration.seconds(1) */
  readonly retryDelay?: Duration;
  /** Reports a failure and goes on with the build. @default false */
  readonly continueOnError?: boolean;
  /** Runs only if the build failed, before its machine is removed: to save logs. @default false */
  readonly onError?: boolean;
  /**
   * Whether a later run may take what this one left in the machine instead of running it again: `false` for what looks at
   * the time or the network, with `ttl` for a while only. @default true, where the provisioner's inputs say all that it does
   */
  readonly cache?: CacheChoice;
  /** Another text here makes it run again. @default - none */
  readonly cacheKey?: string;
}

/** Whether, or for how long, what was done once is used again. */
export type CacheChoice = boolean | { readonly ttl: Duration };

/** The names of `ProvisionerProps`, for checking props that no type checker has seen. */
export const provisionerPropNames: Readonly<Record<keyof Required<ProvisionerProps>, true>> = {
  only: true, except: true, override: true, pauseBefore: true, timeout: true, retries: true, retryDelay: true, continueOnError: true, onError: true, cache: true, cacheKey: true,
};

const brand = Symbol.for('bake-sdk.Provisioner');

/** Changes a running machine. Provisioners of an image run in the order in which they were written. */
export abstract class Provisioner<Props extends ProvisionerProps = ProvisionerProps> extends Construct {
  static isProvisioner(value: unknown): value is Provisioner {
    return typeof value === 'object' && value !== null && brand in value;
  }

  readonly props: Props;

  constructor(scope: Construct, id: string, props: Props) {
    super(scope, id);
    Object.defineProperty(this, brand, { value: true });
    markCallSite(this);
    this.props = props ?? {}; // no type checker may have seen it; what is missing is found when it is compiled
  }

  /** The names of all props of this provisioner beyond `ProvisionerProps`. */
  abstract readonly propNames: Readonly<Record<string, true>>;

  /** The step for one build; `props` has that build's overrides in it. Called by synth; pure. */
  abstract compile(props: Props, scope: ProvisionerScope): CompiledStep;
}
