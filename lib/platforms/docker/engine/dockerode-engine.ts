import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Readable } from 'node:stream';
import Docker from 'dockerode';
import type { ContainerPort } from '../../../communicators/docker-exec/container-port.js';
import { BakeError } from '../../../core/bake-error.js';
import { daemonError } from './daemon-error.js';
import type { Abortable, BuildOptions, CommitOptions, ContainerFacts, ContainerOptions, DaemonVersion, DockerEngine, ImageFacts, ImageRemoval, ImportOptions, Labelled, PullOptions, PushOptions, TaggedImage } from './docker-engine.js';
import { DockerodeContainerPort } from './dockerode-container-port.js';
import { DockerodeContainers } from './dockerode-containers.js';
import { DockerodeImages } from './dockerode-images.js';
import { untilAborted } from './until-aborted.js';

/**
 * The daemon that `DOCKER_HOST` names, else the one at the local socket; `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH` are
 * honoured. Contexts of the `docker` command are not.
 */
export class DockerodeEngine implements DockerEngine {
  readonly #docker: Docker;
  readonly #images: DockerodeImages;
  readonly #containers: DockerodeContainers;

  /** @throws BakeError `DockerHostInvalid` */
  constructor(options: { readonly socketPath?: string } = {}) {
    this.#docker = connect(options);
    this.#images = new DockerodeImages(this.#docker);
    this.#containers = new DockerodeContainers(this.#docker);
  }

  async version({ signal }: Abortable = {}): Promise<DaemonVersion> {
    try {
      const facts = await untilAborted(this.#docker.version(), signal);
      return { version: facts.Version, apiVersion: facts.ApiVersion, os: facts.Os, arch: facts.Arch };
    } catch (error) {
      signal?.throwIfAborted();
      throw daemonError(error, (reason) => ({ code: 'DockerUnavailable', message: `the Docker daemon does not answer as it should: ${reason}` }));
    }
  }

  inspectImage(reference: string, options?: Abortable): Promise<ImageFacts | undefined> {
    return this.#images.inspect(reference, options);
  }
  pull(options: PullOptions): Promise<void> {
    return this.#images.pull(options);
  }
  build(options: BuildOptions): Promise<string> {
    return this.#images.build(options);
  }
  importImage(options: ImportOptions): Promise<string> {
    return this.#images.importImage(options);
  }
  load(archive: Readable, options?: Abortable): Promise<void> {
    return this.#images.load(archive, options);
  }
  tag(image: string, reference: string): Promise<void> {
    return this.#images.tag(image, reference);
  }
  untag(reference: string, labels: Readonly<Record<string, string>>): Promise<void> {
    return this.#images.untag(reference, labels);
  }
  removeImage(id: string): Promise<ImageRemoval> {
    return this.#images.remove(id);
  }
  listImages(label: string, options?: Abortable): Promise<readonly Labelled[]> {
    return this.#images.list(label, options);
  }
  imagesNamed(repository: string, options?: Abortable): Promise<readonly TaggedImage[]> {
    return this.#images.named(repository, options);
  }
  push(options: PushOptions): Promise<string> {
    return this.#images.push(options);
  }
  save(references: readonly string[], options?: Abortable): Promise<Readable> {
    return this.#images.save(references, options);
  }

  createContainer(options: ContainerOptions): Promise<string> {
    return this.#containers.create(options);
  }
  startContainer(id: string): Promise<void> {
    return this.#containers.start(id);
  }
  inspectContainer(id: string, options?: Abortable): Promise<ContainerFacts | undefined> {
    return this.#containers.inspect(id, options);
  }
  removeContainer(id: string): Promise<void> {
    return this.#containers.remove(id);
  }
  listContainers(label: string, options?: Abortable): Promise<readonly Labelled[]> {
    return this.#containers.list(label, options);
  }
  countProcesses(id: string): Promise<number> {
    return this.#containers.countProcesses(id);
  }
  commit(options: CommitOptions): Promise<string> {
    return this.#containers.commit(options);
  }
  exportContainer(id: string, options?: Abortable): Promise<Readable> {
    return this.#containers.export(id, options);
  }
  container(id: string): ContainerPort {
    return new DockerodeContainerPort(this.#docker.getContainer(id));
  }
}

function connect({ socketPath }: { readonly socketPath?: string }): Docker {
  try {
    const docker = new Docker(socketPath === undefined ? undefined : { socketPath });
    // One kept connection per call at the same time: a new one each time costs more than most calls.
    const modem = docker.modem as { protocol?: string; agent?: unknown };
    if (modem.protocol === 'http') modem.agent = new HttpAgent({ keepAlive: true });
    if (modem.protocol === 'https') modem.agent = new HttpsAgent({ keepAlive: true });
    return docker;
  } catch (error) {
    throw new BakeError({ code: 'DockerHostInvalid', message: `cannot make out where the Docker daemon is: ${(error as Error).message}`, hint: 'correct DOCKER_HOST, such as unix:///var/run/docker.sock or tcp://host:2376, and DOCKER_CERT_PATH', cause: error });
  }
}
