import type { JsonObject } from './json.js';

export interface ArtifactFile {
  /** Absolute path. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
}

/** What a build or a post-processor leaves: files, or a thing on a platform with an id. */
export interface Artifact extends JsonObject {
  /** What it is, for whoever takes it as input: `docker.image`, `docker.archive`, `rootfs.tarball`, `rootfs.directory`, `rootfs.oci`, `files`, `none`. */
  readonly type: string;
  /** The id on its platform, or the path of its main file. */
  readonly id: string;
  /** One line for people. */
  readonly title: string;
  readonly files: readonly (ArtifactFile & JsonObject)[];
  /** More facts, such as `repoTags` or `digest`. */
  readonly data: JsonObject;
}
