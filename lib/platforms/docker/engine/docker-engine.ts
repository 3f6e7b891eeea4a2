import type { Readable } from 'node:stream';
import type { ContainerPort } from '../../../communicators/docker-exec/container-port.js';

/** Stops a call soon; rejects with the signal's reason. */
export interface Abortable {
  readonly signal?: AbortSignal;
}

/** A login as the daemon takes it. */
export interface RegistryAuth {
  readonly serveraddress: string;
  readonly username?: string;
  readonly password?: string;
  /** Instead of a password, from credential helpers. */
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}

export interface DaemonVersion {
  readonly version: string;
  readonly apiVersion: string;
  readonly os: string;
  readonly arch: string;
}

/** What an image says of how to run it; members that are empty are null. */
export interface ImageConfig {
  readonly user: string;
  readonly workingDir: string;
  readonly entrypoint: readonly string[] | null;
  readonly cmd: readonly string[] | null;
  readonly labels: Readonly<Record<string, string>>;
}

export interface ImageFacts {
  /** `sha256:…` */
  readonly id: string;
  readonly repoTags: readonly string[];
  /** `<repository>@sha256:…` for each registry it came from or went to. */
  readonly repoDigests: readonly string[];
  /** Bytes. */
  readonly size: number;
  /** `linux/amd64` */
  readonly platform: string;
  readonly config: ImageConfig;
}

/** How far one layer is. */
export interface LayerProgress {
  readonly layer: string;
  /** `Downloading`, `Pull complete`, `Pushing`, … */
  readonly status: string;
  readonly current?: number;
  readonly total?: number;
}

export interface PullOptions extends Abortable {
  readonly reference: string;
  readonly platform?: string;
  readonly auth?: RegistryAuth;
  readonly onProgress?: (progress: LayerProgress) => void;
}

export interface PushOptions extends PullOptions {}

export interface BuildOptions extends Abortable {
  /** A tar stream, plain or gzipped. */
  readonly context: Readable;
  /** Its path in the context. */
  readonly dockerfile: string;
  readonly args?: Readonly<Record<string, string>>;
  /** On the final image only. */
  readonly labels: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly platform?: string;
  readonly noCache?: boolean;
  readonly pull?: boolean;
  readonly network?: string;
  readonly buildKit?: boolean;
  /** By registry. */
  readonly auths?: Readonly<Record<string, RegistryAuth>>;
  readonly onLine?: (line: string) => void;
}

export interface ImportOptions extends Abortable {
  /** A tar stream, plain or compressed as the daemon knows it. */
  readonly tarball: Readable;
  readonly changes: readonly string[];
  readonly message?: string;
  readonly platform?: string;
}

export interface DeviceMapping {
  readonly host: string;
  readonly container: string;
  readonly permissions: string;
}

export interface ContainerOptions {
  readonly name: string;
  readonly image: string;
  readonly platform?: string;
  /** @default - the image's own entrypoint and command */
  readonly argv?: readonly string[];
  /** TCP ports that get a free port of the daemon's loopback each. */
  readonly publish?: readonly number[];
  readonly labels: Readonly<Record<string, string>>;
  readonly hostname?: string;
  readonly privileged?: boolean;
  readonly capAdd?: readonly string[];
  readonly capDrop?: readonly string[];
  readonly devices?: readonly DeviceMapping[];
  /** Folder → mount options. */
  readonly tmpfs?: Readonly<Record<string, string>>;
  /** `<source>:<target>[:options]` */
  readonly binds?: readonly string[];
  readonly runtime?: string;
  readonly network?: string;
  readonly extraHosts?: readonly string[];
  readonly dns?: readonly string[];
  readonly securityOptions?: readonly string[];
  readonly init?: boolean;
  /** Bytes. */
  readonly memory?: number;
  readonly cpus?: number;
  /** Bytes. */
  readonly shmSize?: number;
  /** -1 for all. */
  readonly gpus?: number;
}

export interface ContainerFacts {
  readonly id: string;
  readonly name: string;
  /** The id of the image it was made from. */
  readonly image: string;
  readonly isRunning: boolean;
  readonly exitCode: number;
  /** Why it could not start. */
  readonly error: string;
  /** Empty without a network of its own. */
  readonly address: string;
  /** The port of the daemon's computer for each published one. */
  readonly ports: Readonly<Record<string, number>>;
  readonly labels: Readonly<Record<string, string>>;
}

export interface CommitOptions {
  readonly container: string;
  readonly author?: string;
  readonly message?: string;
  readonly changes: readonly string[];
  /** Takes the place of what the container says, before `changes`; labels are added to those of the container. */
  readonly config: ImageConfig;
  /** The new image's name from its first moment, taken from the image that had it. */
  readonly name?: string;
}

/** Something that carries a label. */
export interface Labelled {
  readonly id: string;
  readonly title: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface TaggedImage {
  readonly id: string;
  readonly tag: string;
  /** Empty if it has none. */
  readonly comment: string;
}

/** `kept`: other images are made from it or a container uses it; it has no name any more. */
export type ImageRemoval = 'removed' | 'kept' | 'missing';

/**
 * The little that bake wants of a Docker daemon. `DockerodeEngine` is the real one; `FakeDockerEngine` keeps the same
 * contract in memory, which `test/platforms/docker/engine-contract.ts` holds both to.
 * @remarks Every call may throw `DockerUnavailable` (transient). Calls that make something (create, commit, tag) take no
 * signal: an answer that nobody waits for would leave a thing behind that nobody knows.
 */
export interface DockerEngine {
  /** @throws BakeError `DockerUnavailable` */
  version(options?: Abortable): Promise<DaemonVersion>;

  /** By name or id; undefined if the daemon does not have it. */
  inspectImage(reference: string, options?: Abortable): Promise<ImageFacts | undefined>;
  /** @throws BakeError `DockerPullFailed`, `DockerAuthFailed` */
  pull(options: PullOptions): Promise<void>;
  /** The new image's id. @throws BakeError `DockerBuildFailed` */
  build(options: BuildOptions): Promise<string>;
  /** The new image's id. @throws BakeError `DockerImportFailed` */
  importImage(options: ImportOptions): Promise<string>;
  /** Reads what `save` wrote. @throws BakeError `DockerImportFailed` */
  load(archive: Readable, options?: Abortable): Promise<void>;
  /** Gives an image a name, taking it from the image that had it. @throws BakeError `DockerImageNotFound` */
  tag(image: string, reference: string): Promise<void>;
  /**
   * Takes a name away; the image stays, also without any. Not found is success. The daemon would remove an image with its
   * last name, so that name is first given to a scratch image with these labels, which goes with it.
   */
  untag(reference: string, labels: Readonly<Record<string, string>>): Promise<void>;
  /** Removes an image with all its names, but none that it was made from. @throws BakeError `DockerImageInUse` if a container that runs holds it */
  removeImage(id: string): Promise<ImageRemoval>;
  /** Images with this label (`name` or `name=value`); those that only carry others and have no name are left out. */
  listImages(label: string, options?: Abortable): Promise<readonly Labelled[]>;
  /** All images of a repository, once for each tag, with the comment of their commit. */
  imagesNamed(repository: string, options?: Abortable): Promise<readonly TaggedImage[]>;
  /** The digest in the registry. @throws BakeError `DockerPushFailed`, `DockerAuthFailed`, `DockerImageNotFound` */
  push(options: PushOptions): Promise<string>;
  /** Images by name or id as one archive. @throws BakeError `DockerImageNotFound` */
  save(references: readonly string[], options?: Abortable): Promise<Readable>;

  /** The id. @throws BakeError `DockerImageNotFound`, `DockerContainerFailed`, `DockerNameTaken` */
  createContainer(options: ContainerOptions): Promise<string>;
  /** @throws BakeError `DockerContainerFailed` */
  startContainer(id: string): Promise<void>;
  inspectContainer(id: string, options?: Abortable): Promise<ContainerFacts | undefined>;
  /** That run in a container; more than there are if nobody can tell. */
  countProcesses(id: string, options?: Abortable): Promise<number>;
  /** Kills and removes it with its anonymous volumes, and waits until it is gone. Not found is success. */
  removeContainer(id: string): Promise<void>;
  /** Containers with this label, running or not. */
  listContainers(label: string, options?: Abortable): Promise<readonly Labelled[]>;
  /** The new image's id. @throws BakeError `DockerCommitFailed` */
  commit(options: CommitOptions): Promise<string>;
  /** The root tree as a tar stream. @throws BakeError `DockerContainerNotFound` */
  exportContainer(id: string, options?: Abortable): Promise<Readable>;
  /** What works inside a running container. */
  container(id: string): ContainerPort;
}
