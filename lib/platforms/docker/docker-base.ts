import type { Artifact } from '../../core/artifact.js';
import type { Secret } from '../../core/secret.js';
import type { Input, Ref, TextInput } from '../../image/ref.js';

/** A login at a registry; no other registry gets to see it. */
export interface DockerAuthProps {
  /** The registry, such as `registry.example:5000`. @default - the registry of the image's name, the first one's if it has several */
  readonly server?: TextInput;
  readonly username: TextInput;
  readonly password: Secret | Ref<string>;
}

/** A base image made from a Dockerfile for this build; removed with it. */
export interface DockerfileProps {
  /** The Dockerfile, relative to the folder of `image.ts`. */
  readonly path: string;
  /** The folder it copies from; a `.dockerignore` in it is honoured. @default - the Dockerfile's own folder */
  readonly context?: string;
  /** Build arguments. A secret is masked in what bake shows, but Docker itself keeps arguments in the image's history. @default - none */
  readonly args?: Readonly<Record<string, TextInput>>;
  /** Looks for newer versions of the images in `FROM`. Packer does so unless told not to. @default false */
  readonly pull?: boolean;
  /** The stage to stop at. @default - the last one */
  readonly target?: TextInput;
  /** Builds each instruction anew. @default false */
  readonly noCache?: boolean;
  /** Network of `RUN` instructions, such as `host` or `none`. @default - the daemon's bridge */
  readonly network?: TextInput;
  /** Builds with BuildKit, for `RUN --mount` and the like; the daemon must have it. @default false */
  readonly buildKit?: boolean;
}

/** The four ways to begin; exactly one is given. */
export interface DockerBaseProps {
  /** An image by name (`debian:12`) or id. */
  readonly image?: TextInput;
  /** A Dockerfile. */
  readonly build?: DockerfileProps;
  /** A tarball of a root tree, by path; relative to the folder of `image.ts`. */
  readonly import?: TextInput;
  /** What another build made: a `docker.image`, `docker.archive`, `docker.export` or `rootfs.tarball`. */
  readonly artifact?: Input<Artifact>;
}
