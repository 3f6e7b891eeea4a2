import type { Construct } from 'constructs';
import { dirname, isAbsolute, relative, sep } from 'node:path';
import { BakeError } from '../../core/bake-error.js';
import type { Size } from '../../core/size.js';
import { Annotations } from '../../image/annotations.js';
import { Asset } from '../../image/asset.js';
import { checkProps } from '../../image/check-props.js';
import type { BuildPlanner, PlannedStep, Trial, TrialPlanner } from '../../image/compile.js';
import type { TextInput } from '../../image/ref.js';
import { Source } from '../../image/source.js';
import type { DockerAuthProps, DockerBaseProps, DockerfileProps } from './docker-base.js';
import { baseImageStep, containerStep, discardStep, dockerfileImageStep, exportStep, importedImageStep, imageStep } from './steps.js';

/** Props of `DockerSource`: one base, the container's settings, one ending. */
export interface DockerSourceProps extends DockerBaseProps {
  /**
   * When to ask the registry for `image`. Packer pulls each time unless told not to; here an image that the daemon has
   * is used as it is. What a tag was found to be is pinned in `bake.lock.json`, and is then what is taken, whatever this
   * says. @default 'missing'
   */
  readonly pull?: 'missing' | 'always' | 'never';
  /** Login at the registry. @default - the logins of `docker login`, credential helpers included */
  readonly auth?: DockerAuthProps;
  /** `linux/arm64` and the like. @default - the daemon's own */
  readonly platform?: TextInput;
  /** Dockerfile instructions for an imported base (`import`, or an artifact that is a tarball). @default - none */
  readonly importChanges?: readonly TextInput[];

  /** What keeps the container running, as an argument list; it takes the place of the image's entrypoint until the commit. @default ['/bin/sh'] with an open input */
  readonly runCommand?: readonly TextInput[];
  /** Who runs the commands and owns what is uploaded: `name`, `uid`, `name:group`. @default - the image's user */
  readonly execUser?: TextInput;
  /** Where commands start, and relative remote paths. @default - the image's working directory */
  readonly workdir?: TextInput;
  /** Environment of the provisioners' commands; it does not get into the image. For that use `changes`. @default - none */
  readonly env?: Readonly<Record<string, TextInput>>;
  /** Gives commands without input a terminal. @default false */
  readonly pty?: boolean;
  /** Whether uploads belong to `execUser` instead of to the ids the files have here. @default true */
  readonly fixUploadOwner?: boolean;
  /** @default false */
  readonly privileged?: boolean;
  /** Linux capabilities to add, such as `NET_ADMIN`. @default - none */
  readonly capAdd?: readonly TextInput[];
  /** Linux capabilities to take away. @default - none */
  readonly capDrop?: readonly TextInput[];
  /** `/dev/fuse` or `<host>:<container>[:rwm]`. @default - none */
  readonly devices?: readonly TextInput[];
  /** Memory file systems: `/tmp` or `/tmp:size=64m`. What is in them does not get into the image. @default - none */
  readonly tmpfs?: readonly TextInput[];
  /** Host folder (relative to `image.ts`; with a slash in it) or name of a volume → folder in the container, with `:ro` if not to be written. A named volume is made if missing, and stays. @default - none */
  readonly volumes?: Readonly<Record<string, TextInput>>;
  /** OCI runtime. @default - the daemon's */
  readonly runtime?: TextInput;
  /** `host`, `none`, or a network's name. @default - the bridge */
  readonly network?: TextInput;
  /** @default - the container's id */
  readonly hostname?: TextInput;
  /** `<name>:<address>` lines of /etc/hosts. @default - none */
  readonly extraHosts?: readonly TextInput[];
  /** Name servers. @default - the daemon's */
  readonly dns?: readonly TextInput[];
  /** `--security-opt` values, such as `seccomp=unconfined`. @default - none */
  readonly securityOptions?: readonly TextInput[];
  /** Runs an init as process 1 that reaps orphans. @default false */
  readonly init?: boolean;
  /** @default - no limit */
  readonly memory?: Size;
  /** Processors, such as 1.5. @default - no limit */
  readonly cpus?: number;
  /** Size of /dev/shm. @default - the daemon's, 64 MiB */
  readonly shmSize?: Size;
  /** GPUs to hand in: how many, or all. @default - none */
  readonly gpus?: 'all' | number;

  /** Ends in an image with the daemon. @default - true unless `export` or `discard` is given */
  readonly commit?: boolean;
  /** Ends in a tarball of the root tree at this path, relative to the folder of `image.ts`. */
  readonly export?: TextInput;
  /** Ends in nothing: the container is thrown away. */
  readonly discard?: boolean;
  /** Names of the committed image, such as `web:1.0`. @default - none */
  readonly tags?: readonly TextInput[];
  /** Dockerfile instructions for the committed image: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, USER, VOLUME, WORKDIR … @default - as in the base */
  readonly changes?: readonly TextInput[];
  /** @default - none */
  readonly author?: TextInput;
  /** @default - none */
  readonly message?: TextInput;
  /** Labels of the committed image, beside those of `Tags`. @default - none */
  readonly labels?: Readonly<Record<string, TextInput>>;
}

const propNames: Readonly<Record<keyof Required<DockerSourceProps>, true>> = {
  image: true, build: true, import: true, artifact: true, pull: true, auth: true, platform: true, importChanges: true, runCommand: true, execUser: true, workdir: true, env: true,
  pty: true, fixUploadOwner: true, privileged: true, capAdd: true, capDrop: true, devices: true, tmpfs: true, volumes: true, runtime: true, network: true, hostname: true,
  extraHosts: true, dns: true, securityOptions: true, init: true, memory: true, cpus: true, shmSize: true, gpus: true, commit: true, export: true, discard: true, tags: true,
  changes: true, author: true, message: true, labels: true,
};
const buildPropNames: Readonly<Record<keyof Required<DockerfileProps>, true>> = {
  path: true, context: true, args: true, pull: true, target: true, noCache: true, network: true, buildKit: true,
};
const commitProps = ['tags', 'changes', 'author', 'message', 'labels'] as const;

/**
 * Builds in a container of a Docker daemon: the local one, or that of `DOCKER_HOST`.
 * @example
 * new DockerSource(this, 'Docker', { image: 'debian:12', changes: ['CMD ["nginx"]'], tags: ['web:1.0'] });
 */
export class DockerSource extends Source {
  readonly platform = 'docker';
  readonly props: DockerSourceProps;

  constructor(scope: Construct, id: string, props: DockerSourceProps) {
    super(scope, id);
    this.props = props;
    checkProps(this, props, propNames);
    if (typeof props.build === 'object' && props.build !== null) checkProps(this, props.build, buildPropNames);
    this.#checkChoices();
  }

  compile(build: BuildPlanner): void {
    const { props } = this;
    const base = this.#compileBase(build);
    const image = base.ref<string>('id');
    const { platform, runCommand, execUser, workdir, env, pty, fixUploadOwner, privileged, capAdd, capDrop, devices, tmpfs, volumes, runtime, network, hostname, extraHosts, dns, securityOptions, init, memory, cpus, shmSize, gpus } = props;
    const container = build.step('Container', {
      kind: containerStep, title: 'container',
      spec: { image, platform, runCommand, execUser, workdir, env, pty, fixUploadOwner, privileged, capAdd, capDrop, devices, tmpfs, volumes, runtime, network, hostname, extraHosts, dns, securityOptions, init, memory, cpus, shmSize, gpus },
    });
    build.provision({
      step: container,
      connection: container.ref('connection'),
      variables: { id: container.ref('id'), host: container.ref('host'), user: container.ref('user'), sourceImageId: image, sourceImageDigest: base.ref('digest') },
    });
    build.artifact(this.#compileEnding(build, container));
  }

  /** The image as it would run for its users: with its own command, user and environment. */
  override trial({ artifact, ports, step }: TrialPlanner): Trial {
    const { discard, export: path, platform, execUser, volumes, tmpfs, network, privileged, memory, cpus } = this.props;
    if (discard === true || path !== undefined) {
      throw new BakeError({ code: 'NoTrial', message: `this source ends in ${discard === true ? 'nothing' : 'a tarball'}, and only an image can be started`, hint: `leave the trial out here with except: ['${this.node.id}']` });
    }
    const container = step('Container', {
      kind: containerStep, title: 'container of the image',
      spec: { image: artifact.get('id'), ownCommand: true, publish: ports.length === 0 ? undefined : ports, platform, execUser, volumes, tmpfs, network, privileged, memory, cpus },
    });
    return { connection: container.ref('connection'), host: '127.0.0.1', ports: container.ref('ports') };
  }

  #compileBase(build: BuildPlanner): PlannedStep {
    const { image, import: path, artifact, build: dockerfile, pull, auth, platform, importChanges } = this.props;
    if (dockerfile !== undefined) {
      const { path: file, context = dirname(file), args, pull: pullBase, target, noCache, network, buildKit } = dockerfile;
      const inContext = relative(context, file);
      const isInside = inContext !== '' && !isAbsolute(inContext) && inContext.split(sep)[0] !== '..';
      return build.step('Base', {
        kind: dockerfileImageStep, title: `build ${file}`,
        spec: {
          dockerfile: Asset.fromPath(file, 'file'), context: Asset.fromPath(context, 'directory'), dockerfileName: isInside ? inContext.split(sep).join('/') : undefined,
          args, pull: pullBase, target, platform, noCache, network, buildKit, auth,
        },
      });
    }
    if (path !== undefined || artifact !== undefined) {
      return build.step('Base', { kind: importedImageStep, title: typeof path === 'string' ? `import ${path}` : 'import the base', spec: { import: path, artifact, importChanges, platform } });
    }
    return build.step('Base', { kind: baseImageStep, title: typeof image === 'string' ? `base image ${image}` : 'base image', spec: { image, pull, platform, auth } });
  }

  #compileEnding(build: BuildPlanner, machine: PlannedStep): PlannedStep {
    const { export: path, discard, changes, author, message, labels, tags } = this.props;
    const container = machine.ref<string>('id');
    if (path !== undefined) return build.step('Export', { kind: exportStep, title: typeof path === 'string' ? `export to ${path}` : 'export', spec: { container, path } }, { lifetime: 'artifact' });
    if (discard === true) return build.step('Discard', { kind: discardStep, title: 'discard the container', spec: { container } });
    const allLabels = { ...build.tags, ...labels };
    return build.step('Commit', {
      kind: imageStep, title: 'commit to an image',
      spec: { container, base: machine.ref('image'), changes, author, message, labels: Object.keys(allLabels).length === 0 ? undefined : allLabels, tags },
    }, { lifetime: 'artifact' });
  }

  #checkChoices(): void {
    const { props } = this;
    const bases = (['image', 'build', 'import', 'artifact'] as const).filter((name) => props[name] !== undefined);
    if (bases.length !== 1) {
      this.#error('DockerBase', bases.length === 0 ? 'no base is given' : `several bases are given: ${bases.join(', ')}`, 'give exactly one of image, build, import, artifact');
    }
    const endings = (['commit', 'export', 'discard'] as const).filter((name) => props[name] !== undefined && props[name] !== false);
    if (endings.length > 1) this.#error('DockerEnding', `several endings are given: ${endings.join(', ')}`, 'give one of commit, export, discard; without one the container is committed');
    else if (props.commit === false && endings.length === 0) this.#error('DockerEnding', 'commit is false and no other ending is given', 'give export or discard, or leave commit out');
    if (props.export !== undefined || props.discard === true) {
      const useless = commitProps.filter((name) => props[name] !== undefined);
      if (useless.length > 0) this.#error('DockerEnding', `${useless.join(', ')} would have no effect without a commit`, 'leave them out, or end in a commit');
    }
    if (props.pull !== undefined && props.image === undefined) this.#error('DockerBase', 'pull is for a base given as image', props.build === undefined ? 'leave it out' : 'write it inside build');
    if (props.importChanges !== undefined && props.import === undefined && props.artifact === undefined) this.#error('DockerBase', 'importChanges is for a base that is imported', 'use changes, which the commit applies');
  }

  #error(code: string, message: string, hint: string): void {
    Annotations.of(this).addError(message, { code, hint });
  }
}
