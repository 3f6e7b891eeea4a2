import { resolve } from 'node:path';
import type { DockerExecConnection } from '../../../communicators/docker-exec/docker-exec-connection.js';
import { BakeError } from '../../../core/bake-error.js';
import type { JsonObject } from '../../../core/json.js';
import { shellQuote } from '../../../core/quote.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import type { containerStep } from '../steps.js';
import { containerCheckpoint } from './container-checkpoint.js';
import type { ContainerFacts, ContainerOptions, DeviceMapping, DockerEngine } from './docker-engine.js';
import { isTemporary, stamp, temporaryLabel, withToken } from './labels.js';
import type { SpecOf } from './spec-of.js';

export type ContainerSpec = SpecOf<typeof containerStep>;

/** A container as other steps see it. */
export interface ContainerHandle extends JsonObject {
  readonly id: string;
  readonly name: string;
  /** Its address; empty without a network of its own. */
  readonly host: string;
  /** The port of the daemon's computer for each published one. */
  readonly ports: Readonly<Record<string, number>>;
  /** Who runs the commands. */
  readonly user: string;
  readonly connection: DockerExecConnection;
  /** Id of the image it was made from. */
  readonly image: string;
  /** How many processes there are in it while nobody does anything. */
  readonly idle: number;
}

/** Milliseconds in which a creation that was asked for may still come about after its caller died. */
const settle = 1_000;

/** The machine: a container that does nothing until commands are run in it. */
export function containerHandler(engine: DockerEngine): ResourceHandler<ContainerSpec, ContainerHandle> {
  /** `image` is the spec's, or one of a checkpoint. */
  const start = async (spec: ContainerSpec, image: string, ctx: StepContext): Promise<ContainerHandle> => {
    const base = await engine.inspectImage(image, ctx);
    if (base === undefined) throw new BakeError({ code: 'DockerImageNotFound', source: 'platform', message: `the daemon has no image ${image}`, hint: 'it may have been removed meanwhile; run bake again' });
    const id = await create(engine, { ...containerOptions(spec, ctx), image }, ctx);
    ctx.signal.throwIfAborted();
    await engine.startContainer(id);
    ctx.signal.throwIfAborted();
    const facts = await engine.inspectContainer(id, ctx);
    if (facts?.isRunning !== true) throw stopped(facts, spec);
    return handleOf({ ...facts, image: image === spec.image ? facts.image : spec.image }, spec, spec.execUser ?? base.config.user, spec.workdir ?? base.config.workingDir);
  };
  return {
    settle,
    acquire: (spec, ctx) => start(spec, spec.image, ctx),
    checkpoint: containerCheckpoint(engine, start),
    /** What other programs may change meanwhile is nothing to rely on. */
    reads: ({ volumes = {} }) => Promise.resolve(Object.keys(volumes).length === 0 ? {} : { unknown: `it has volumes, whose content may have changed: ${Object.keys(volumes).join(', ')}` }),
    async find(token, spec, ctx) {
      const id = await findContainer(engine, token, ctx);
      const facts = id === undefined ? undefined : await engine.inspectContainer(id, ctx);
      return facts === undefined ? undefined : handleOf(facts, spec, spec.execUser ?? '', spec.workdir ?? '');
    },
    entry: ({ name }) => `docker exec -it ${shellQuote(name)} /bin/sh`,
    release: ({ id }) => engine.removeContainer(id),
  };
}

/** A container that somebody made from a stamped image carries the same token, but not the mark of what is temporary. */
async function findContainer(engine: DockerEngine, token: string, ctx: StepContext): Promise<string | undefined> {
  const found = await engine.listContainers(withToken(token), ctx);
  const [name, value] = isTemporary.split('=') as [typeof temporaryLabel, string];
  return found.find((one) => one.labels[name] === value)?.id;
}

async function create(engine: DockerEngine, options: ContainerOptions, ctx: StepContext): Promise<string> {
  try {
    return await engine.createContainer(options);
  } catch (error) {
    if (!BakeError.is(error) || error.code !== 'DockerNameTaken') throw error;
    // An earlier attempt with the same token: ours to replace. Somebody else's stays.
    const old = await findContainer(engine, ctx.token, ctx);
    if (old === undefined) throw error;
    await engine.removeContainer(old);
    return engine.createContainer(options);
  }
}

function handleOf(facts: ContainerFacts, spec: ContainerSpec, user: string, workdir: string): ContainerHandle {
  const { env, pty, fixUploadOwner, tmpfs } = spec;
  const connection: DockerExecConnection = {
    kind: 'docker-exec', container: facts.id,
    ...(user === '' ? {} : { user }), ...(workdir === '' ? {} : { workdir }), ...(env === undefined ? {} : { env }), ...(pty === undefined ? {} : { pty }),
    ...(fixUploadOwner === undefined ? {} : { fixUploadOwner }), ...(tmpfs === undefined ? {} : { tmpfs: tmpfs.map((entry) => entry.split(':')[0]!) }),
  };
  return { id: facts.id, name: facts.name, host: facts.address, ports: facts.ports, user: user === '' ? 'root' : user, connection, image: facts.image, idle: spec.init === true ? 2 : 1 };
}

function containerOptions(spec: ContainerSpec, ctx: StepContext): ContainerOptions {
  const { image, platform, ownCommand, runCommand = ['/bin/sh'], publish, tmpfs, devices, volumes, gpus, privileged, capAdd, capDrop, runtime, network, hostname, extraHosts, dns, securityOptions, init, memory, cpus, shmSize } = spec;
  const optional = { platform, privileged, capAdd, capDrop, runtime, network, hostname, extraHosts, dns, securityOptions, init, memory, cpus, shmSize };
  return {
    name: `bake-${ctx.token}`, image, ...(ownCommand === true ? {} : { argv: runCommand }), ...(publish === undefined ? {} : { publish }), labels: stamp(ctx, true),
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
    ...(tmpfs === undefined ? {} : { tmpfs: Object.fromEntries(tmpfs.map((entry) => splitOnce(entry, ':'))) }),
    ...(devices === undefined ? {} : { devices: devices.map(deviceMapping) }),
    ...(volumes === undefined ? {} : { binds: Object.entries(volumes).map(([source, target]) => bind(source, target, ctx.run.project)) }),
    ...(gpus === undefined ? {} : { gpus: gpus === 'all' ? -1 : gpus }),
  };
}

/** `<host>[:<container>[:<permissions>]]` */
function deviceMapping(device: string): DeviceMapping {
  const [host = '', container = host, permissions = 'rwm'] = device.split(':');
  return { host, container, permissions };
}

/** A source with a slash in it is a folder of the host, else a volume's name. */
function bind(source: string, target: string, project: string): string {
  if (!target.startsWith('/')) throw new BakeError({ code: 'InvalidVolume', message: `the volume ${JSON.stringify(source)} goes to ${JSON.stringify(target)}`, hint: 'give an absolute path in the container' });
  const isPath = source.includes('/') || source === '.' || source === '..';
  const from = isPath ? resolve(project, source) : source;
  if (from.includes(':')) throw new BakeError({ code: 'InvalidVolume', message: `the volume's source ${JSON.stringify(from)} has a colon in it, which Docker cannot take`, hint: 'mount a folder without a colon in its path' });
  return `${from}:${target}`;
}

function splitOnce(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function stopped(facts: ContainerFacts | undefined, { ownCommand }: ContainerSpec): BakeError {
  const how = facts === undefined ? 'it is gone' : `exit code ${facts.exitCode}${facts.error === '' ? '' : `: ${facts.error}`}`;
  return new BakeError({ code: 'DockerContainerFailed', message: `the container did not stay up: ${how}`, hint: ownCommand === true ? 'its own command (CMD, ENTRYPOINT) has to keep running' : 'the image needs /bin/sh; a runCommand has to keep running' });
}
