import { Construct } from 'constructs';
import type { Artifact } from '../core/artifact.js';
import { markCallSite } from './call-site.js';
import type { BuildPlanner, Trial, TrialPlanner } from './compile.js';
import { Ref } from './ref.js';

const brand = Symbol.for('bake-sdk.Source');

/** Where a build starts and what it ends in: one platform's way from a base to an image. Each source of an image is one build. */
export abstract class Source extends Construct {
  static isSource(value: unknown): value is Source {
    return typeof value === 'object' && value !== null && brand in value;
  }

  /** The platform's name, which is its folder's name. */
  abstract readonly platform: string;
  /** What the build makes, before any post-processor: the input of another image's source. */
  readonly artifact: Ref<Artifact>;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    Object.defineProperty(this, brand, { value: true });
    markCallSite(this);
    this.artifact = new Ref<Artifact>({ construct: this, output: 'artifact' });
  }

  /** Writes the steps of this build. Called by synth; pure. */
  abstract compile(build: BuildPlanner): void;

  /** Writes the steps that start what the build made as a throw-away machine. Pure. @default - this platform cannot */
  trial?(planner: TrialPlanner): Trial;
}
