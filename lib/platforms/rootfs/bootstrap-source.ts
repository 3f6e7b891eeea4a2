import type { Construct } from 'constructs';
import type * as z from 'zod';
import { Annotations } from '../../image/annotations.js';
import { checkProps } from '../../image/check-props.js';
import type { BuildPlanner, PlannedStep, SpecInput, Trial, TrialPlanner } from '../../image/compile.js';
import type { Ref, TextInput } from '../../image/ref.js';
import { Source } from '../../image/source.js';
import type { BootstrapSourceProps, RootfsOutput } from './bootstrap-props.js';
import { compressionOf, defaultTarball, fileNameOf, leavesFolder } from './output-path.js';
import { rootfsDirectory, rootfsMachine, rootfsOci, rootfsSeal, rootfsSnapshot, rootfsTarball, rootfsTree, snapshotMark } from './steps.js';

/** 1 January 2000: a time that no program takes for "never" or "unknown". */
const defaultClampTime = new Date('2000-01-01T00:00:00Z');

const mirrorProps = ['suite', 'variant', 'packages', 'mirror', 'mirrors', 'components', 'keyring', 'aptOptions'] as const;

/**
 * Makes a root file-system tree with no daemon and no hypervisor: from a package mirror, a tarball or another build's
 * artifact. Provisioners run in it as root, in namespaces of their own (mounts, processes, IPC, host name) and on this
 * computer's network; as a user who is not root, in a namespace of users too. It keeps accidents in, not attackers: run
 * programs that you do not trust as a user who is not root.
 *
 * While it is being built the tree has `/proc`, a minimal `/dev`, a read-only `/sys`, an empty `/run`, this computer's
 * `resolv.conf`, and no service is started by a package. None of this is in the image, nor are `/tmp`, `/var/tmp` and the
 * machine's id.
 * @example
 * new BootstrapSource(this, 'Rootfs', { suite: 'bookworm', packages: ['nginx-light'], output: { format: 'oci', cmd: ['nginx', '-g', 'daemon off;'] } });
 */
export class BootstrapSource extends Source {
  readonly platform = 'rootfs';
  readonly #props: BootstrapSourceProps;

  constructor(scope: Construct, id: string, props: BootstrapSourceProps = {}) {
    super(scope, id);
    this.#props = props;
    checkProps<BootstrapSourceProps>(this, props, {
      suite: true, variant: true, packages: true, mirror: true, mirrors: true, components: true, architecture: true, keyring: true, aptOptions: true,
      tarball: true, artifact: true, output: true, clampTime: true, cleanPackageCache: true, clearLogs: true, hostname: true,
    });
    this.#checkBase();
  }

  compile(build: BuildPlanner): void {
    const { hostname = 'localhost', cleanPackageCache = true, clearLogs = true } = this.#props;
    const clampTime = this.#clampTime();
    const tree = build.step('Tree', { kind: rootfsTree, title: `root tree from ${this.#baseTitle()}`, spec: { ...this.#treeSpec(clampTime), ...this.#snapshot(build) } });
    const machine = build.step('Machine', { kind: rootfsMachine, title: 'namespaces around the tree', spec: { tree: tree.ref('tree'), hostname, clampTime } });
    build.provision({
      step: machine,
      connection: machine.ref('connection'),
      variables: { id: machine.ref('id'), host: 'localhost', user: 'root', sourceImageId: tree.ref('base') },
    });
    const sealed = build.step('Seal', {
      kind: rootfsSeal,
      title: 'end what still runs, remove what building left',
      spec: { tree: tree.ref('tree'), init: machine.ref('init'), initStart: machine.ref('initStart'), cleanPackageCache, clearLogs },
    });
    build.artifact(this.#outputStep(build, tree, sealed, clampTime));
  }

  override trial({ artifact, step }: TrialPlanner): Trial {
    const { hostname = 'localhost' } = this.#props;
    const clampTime = this.#clampTime();
    const tree = step('Tree', { kind: rootfsTree, title: 'root tree of the artifact', spec: { artifact, clampTime } });
    const machine = step('Machine', { kind: rootfsMachine, title: 'namespaces around the tree', spec: { tree: tree.ref('tree'), hostname, clampTime } });
    return { connection: machine.ref('connection'), host: '127.0.0.1', ports: {} }; // it has this computer's network
  }

  #treeSpec(clampTime: number): SpecInput<z.output<(typeof rootfsTree)['spec']>> {
    const { suite, variant, packages, mirror, mirrors, components, architecture, keyring, aptOptions, tarball, artifact } = this.#props;
    if (tarball !== undefined || artifact !== undefined) return { tarball, artifact, clampTime };
    return {
      suite: suite ?? 'bookworm', variant: variant ?? 'minbase', packages, components, architecture, aptOptions, clampTime,
      mirrors: mirrors ?? (mirror === undefined ? undefined : [mirror]),
      keyring: typeof keyring === 'string' ? [keyring] : keyring,
    };
  }

  #snapshot(build: BuildPlanner): { readonly snapshot?: Ref<string> } {
    const { mirror, mirrors = mirror === undefined ? [] : [mirror] } = this.#props;
    const archives = mirrors.filter((address) => address.includes(snapshotMark));
    if (archives.length === 0) return {};
    return { snapshot: build.step('Snapshot', { kind: rootfsSnapshot, title: 'newest snapshot of the mirror', spec: { mirrors: archives } }).ref('snapshot') };
  }

  #outputStep(build: BuildPlanner, tree: PlannedStep, sealed: PlannedStep, clampTime: number): PlannedStep {
    const output: RootfsOutput = this.#props.output ?? {};
    const shared = { tree: tree.ref('tree'), clampTime, tags: build.tags };
    const options = { lifetime: 'artifact', after: [sealed] } as const;
    const at = (path: TextInput | undefined, otherwise: string) => this.#checkPath(path) ?? otherwise;
    const { format: _, ...rest } = output;
    switch (output.format) {
      case 'directory': {
        const path = at(output.path, `bake.artifacts/${fileNameOf(this.node.path)}`);
        return build.step('Directory', { kind: rootfsDirectory, title: titleOf('folder', path), spec: { ...rest, ...shared, path } }, options);
      }
      case 'oci': {
        const path = at(output.path, `bake.artifacts/${fileNameOf(this.node.path)}.oci`);
        return build.step('Oci', { kind: rootfsOci, title: titleOf('OCI layout', path), spec: { architecture: this.#props.architecture, ...rest, ...shared, path } as never }, options);
      }
      default: {
        const compression = output.compression ?? (typeof output.path === 'string' ? compressionOf(output.path) : 'none');
        const path = at(output.path, defaultTarball(this.node.path, compression));
        if (output.format !== undefined && output.format !== 'tarball') {
          Annotations.of(this).addError(`"output.format" is ${JSON.stringify(output.format)}`, { code: 'InvalidProp', hint: 'give tarball, directory or oci' });
        }
        return build.step('Tarball', { kind: rootfsTarball, title: titleOf('tarball', path), spec: { ...rest, ...shared, path, compression } }, options);
      }
    }
  }

  #checkBase(): void {
    const { tarball, artifact, mirror, mirrors } = this.#props;
    const error = (message: string, hint: string) => Annotations.of(this).addError(message, { code: 'InvalidProp', hint });
    const other = tarball !== undefined ? 'tarball' : 'artifact';
    if (tarball !== undefined && artifact !== undefined) error('"tarball" and "artifact" are both given, and a tree has one base', 'remove one of them');
    if (tarball !== undefined || artifact !== undefined) {
      const extra = mirrorProps.filter((name) => this.#props[name] !== undefined);
      if (extra.length > 0) error(`"${other}" is the base, so ${extra.map((name) => `"${name}"`).join(', ')} cannot be given too`, `remove ${extra.length === 1 ? 'it' : 'them'}, or remove "${other}" to start from a package mirror`);
    }
    if (mirror !== undefined && mirrors !== undefined) error('"mirror" and "mirrors" are both given', 'put all of them into "mirrors"');
  }

  #checkPath(path: TextInput | undefined): TextInput | undefined {
    if (typeof path === 'string' && leavesFolder(path)) {
      Annotations.of(this).addError(`"output.path" is ${JSON.stringify(path)}, which leaves the project`, { code: 'InvalidProp', hint: 'give a path inside the folder of image.ts, or an absolute one' });
    }
    return path;
  }

  #clampTime(): number {
    const { clampTime = defaultClampTime } = this.#props;
    const seconds = clampTime instanceof Date ? Math.floor(clampTime.getTime() / 1000) : Number.NaN;
    if (seconds >= 0) return seconds;
    Annotations.of(this).addError(`"clampTime" is ${String(clampTime)}`, { code: 'InvalidProp', hint: "give a Date since 1970, such as new Date('2024-01-01')" });
    return 0;
  }

  #baseTitle(): string {
    const { tarball, artifact, suite = 'bookworm', variant = 'minbase' } = this.#props;
    if (artifact !== undefined) return 'an artifact';
    if (tarball !== undefined) return typeof tarball === 'string' ? tarball : 'a tarball';
    return `${suite} (${variant})`;
  }
}

function titleOf(what: string, path: TextInput): string {
  return typeof path === 'string' ? `${what} ${path}` : what;
}
