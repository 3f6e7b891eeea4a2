import { Construct } from 'constructs';
import type { Artifact } from '../core/artifact.js';
import { BakeError } from '../core/bake-error.js';
import { markCallSite } from './call-site.js';
import type { Ref } from './ref.js';
import { Source } from './source.js';

const brand = Symbol.for('bake-sdk.Image');

/**
 * One machine image: one or more sources, the provisioners that run in each of them in the order in which they were
 * written, and the post-processors that make something of what comes out. Each source is one build.
 */
export class Image extends Construct {
  static isImage(value: unknown): value is Image {
    return typeof value === 'object' && value !== null && brand in value;
  }

  constructor(scope: Construct, id: string) {
    super(scope, id);
    Object.defineProperty(this, brand, { value: true });
    markCallSite(this);
  }

  /**
   * What this image's only source makes: the base of another image.
   * @throws BakeError `AmbiguousArtifact` if there is not exactly one source; then name the source's own `artifact`
   */
  get artifact(): Ref<Artifact> {
    const sources = this.node.findAll().filter(Source.isSource);
    const [only] = sources;
    if (sources.length === 1 && only !== undefined) return only.artifact;
    throw new BakeError({
      code: 'AmbiguousArtifact',
      message: `${this.node.path} has ${sources.length} sources, so "artifact" does not say which`,
      hint: sources.length === 0 ? 'add a source before asking for its artifact' : `use the artifact of one of its sources (${sources.map((source) => source.node.id).join(', ')})`,
      construct: this.node.path,
    });
  }
}
