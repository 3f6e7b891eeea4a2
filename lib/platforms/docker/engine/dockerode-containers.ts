import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import type { BakeErrorOptions } from '../../../core/bake-error.js';
import { daemonError, isDisconnection, statusOf } from './daemon-error.js';
import type { Abortable, CommitOptions, ContainerFacts, ContainerOptions, Labelled } from './docker-engine.js';

/** The container half of `DockerodeEngine`. */
export class DockerodeContainers {
  readonly #docker: Docker;

  constructor(docker: Docker) {
    this.#docker = docker;
  }

  async create(options: ContainerOptions): Promise<string> {
    try {
      const container = await this.#docker.createContainer({
        name: options.name, ...(options.platform === undefined ? {} : { platform: options.platform }),
        Image: options.image, Labels: { ...options.labels },
        // An open terminal keeps a shell waiting for input for ever, without a program such as sleep in the image.
        ...(options.argv === undefined ? {} : { Entrypoint: [options.argv[0]!], Cmd: options.argv.slice(1), Tty: true, OpenStdin: true }),
        ...(options.publish === undefined ? {} : { ExposedPorts: Object.fromEntries(options.publish.map((port) => [`${port}/tcp`, {}])) }),
        ...(options.hostname === undefined ? {} : { Hostname: options.hostname }),
        HostConfig: hostConfig(options),
      });
      return container.id;
    } catch (error) {
      throw daemonError(error, (reason, status) => {
        if (status === 404 && /no such image/i.test(reason)) return { code: 'DockerImageNotFound', message: `the daemon has no image ${options.image}: ${reason}`, hint: 'it may have been removed meanwhile; run bake again' };
        if (status === 409 && /name .* is already in use/i.test(reason)) return { code: 'DockerNameTaken', message: reason };
        return containerFailure(reason);
      });
    }
  }

  async start(id: string): Promise<void> {
    try {
      await this.#docker.getContainer(id).start();
    } catch (error) {
      if (statusOf(error) === 304) return;
      throw daemonError(error, containerFailure);
    }
  }

  async inspect(id: string, { signal }: Abortable = {}): Promise<ContainerFacts | undefined> {
    try {
      const facts = await this.#docker.getContainer(id).inspect(abortable(signal));
      const { State: state, NetworkSettings: network } = facts;
      const addresses = Object.values(network.Networks ?? {}).map((one) => String(one.IPAddress ?? ''));
      return {
        id: facts.Id, name: facts.Name.replace(/^\//, ''), image: facts.Image, isRunning: state.Running, exitCode: state.ExitCode, error: state.Error,
        address: addresses.find((address) => address !== '') ?? '', ports: publishedPorts(network.Ports), labels: facts.Config.Labels ?? {},
      };
    } catch (error) {
      signal?.throwIfAborted();
      if (statusOf(error) === 404) return undefined;
      throw daemonError(error, (reason) => ({ code: 'DockerFailed', message: `could not look at the container ${id}: ${reason}` }));
    }
  }

  async remove(id: string): Promise<void> {
    const container = this.#docker.getContainer(id);
    try {
      await container.remove({ force: true, v: true });
    } catch (error) {
      if (statusOf(error) === 404) return;
      // Somebody else removes it already: wait with them.
      if (statusOf(error) === 409) await container.wait({ condition: 'removed' }).catch((gone: unknown) => { if (isDisconnection(gone)) throw daemonError(gone, containerFailure); });
      else throw daemonError(error, (reason) => ({ code: 'DockerFailed', message: `could not remove the container ${id}: ${reason}`, hint: `try "docker rm -f ${id.slice(0, 12)}"` }));
    }
  }

  async list(label: string, { signal }: Abortable = {}): Promise<readonly Labelled[]> {
    try {
      const containers = await this.#docker.listContainers({ all: true, filters: { label: [label] }, ...abortable(signal) } as Docker.ContainerListOptions);
      return containers.map((one) => ({ id: one.Id, title: one.Names[0]?.replace(/^\//, '') ?? one.Id.slice(0, 12), labels: one.Labels ?? {} }));
    } catch (error) {
      signal?.throwIfAborted();
      throw daemonError(error, (reason) => ({ code: 'DockerFailed', message: `could not list containers: ${reason}` }));
    }
  }

  async commit({ container, author, message, changes, config, name }: CommitOptions): Promise<string> {
    const target = this.#docker.getContainer(container);
    try {
      const options = {
        _query: { container, pause: await this.countProcesses(container) > 1, changes: [...changes], ...(author === undefined ? {} : { author }), ...(message === undefined ? {} : { comment: message }), ...(name === undefined ? {} : repoAndTag(name)) },
        // An empty list, unlike none, keeps the daemon from taking what the container was started with.
        _body: { User: config.user, WorkingDir: config.workingDir, Entrypoint: config.entrypoint ?? [], Cmd: config.cmd ?? [], Labels: config.labels },
      };
      const answer = await (target.commit(options as object) as unknown as Promise<{ Id: string }>);
      return answer.Id;
    } catch (error) {
      throw daemonError(error, (reason, status) => ({
        code: 'DockerCommitFailed', message: `could not commit the container: ${reason}`,
        ...(status === 400 || /parse error|unknown instruction|not a valid change/i.test(reason) ? { source: 'user' as const, hint: 'correct changes: each is one Dockerfile instruction' } : {}),
      }));
    }
  }

  async export(id: string, { signal }: Abortable = {}): Promise<Readable> {
    try {
      return await this.#docker.getContainer(id).export(abortable(signal)) as Readable;
    } catch (error) {
      signal?.throwIfAborted();
      throw daemonError(error, (reason, status) => ({ code: status === 404 ? 'DockerContainerNotFound' : 'DockerFailed', message: `could not export the container ${id}: ${reason}` }));
    }
  }

  /** Freezing a container for its commit takes 90 ms; while only the idle shell runs in it there is nothing that could write. */
  async countProcesses(id: string): Promise<number> {
    const running = await this.#docker.getContainer(id).top().catch(() => undefined);
    return running?.Processes.length ?? Infinity;
  }
}

const abortable = (signal: AbortSignal | undefined): { abortSignal?: AbortSignal } => (signal === undefined ? {} : { abortSignal: signal });

function hostConfig(options: ContainerOptions): Docker.HostConfig {
  const nanosPerCpu = 1e9;
  const config: Record<string, unknown> = {
    Privileged: options.privileged, CapAdd: options.capAdd, CapDrop: options.capDrop, Tmpfs: options.tmpfs, Binds: options.binds, Runtime: options.runtime,
    PortBindings: options.publish === undefined ? undefined : Object.fromEntries(options.publish.map((port) => [`${port}/tcp`, [{ HostIp: '127.0.0.1', HostPort: '' }]])),
    NetworkMode: options.network, ExtraHosts: options.extraHosts, Dns: options.dns, SecurityOpt: options.securityOptions, Init: options.init, Memory: options.memory, ShmSize: options.shmSize,
    NanoCpus: options.cpus === undefined ? undefined : Math.round(options.cpus * nanosPerCpu),
    Devices: options.devices?.map(({ host, container, permissions }) => ({ PathOnHost: host, PathInContainer: container, CgroupPermissions: permissions })),
    DeviceRequests: options.gpus === undefined ? undefined : [{ Count: options.gpus, Capabilities: [['gpu']] }],
  };
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined)) as Docker.HostConfig;
}

function publishedPorts(ports: Docker.ContainerInspectInfo['NetworkSettings']['Ports'] | undefined): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(ports ?? {}).flatMap(([name, bindings]) => (bindings?.[0] === undefined ? [] : [[name.split('/')[0]!, Number(bindings[0].HostPort)]])));
}

function containerFailure(reason: string): BakeErrorOptions {
  const message = `could not start a container: ${reason}`;
  if (/exec: .*no such file|executable file not found|exec format error/i.test(reason)) return { code: 'DockerContainerFailed', source: 'user', message, hint: 'the image needs /bin/sh for this platform, or give runCommand' };
  if (/no space left/i.test(reason)) return { code: 'DockerContainerFailed', message, hint: 'make room on the disk of the daemon, for example with "docker system prune"' };
  return { code: 'DockerContainerFailed', message, hint: 'look at the container settings of the source (volumes, devices, network, runtime …)' };
}

function repoAndTag(name: string): { readonly repo: string; readonly tag: string } {
  const mark = name.lastIndexOf(':');
  return { repo: name.slice(0, mark), tag: name.slice(mark + 1) };
}
