import type { Construct } from 'constructs';
import { Duration } from '../../core/duration.js';
import { Size } from '../../core/size.js';
import type { BuildPlanner, PlannedStep, Trial, TrialPlanner } from '../../image/compile.js';
import { outputName } from '../../image/output-name.js';
import type { Input, Ref, TextInput } from '../../image/ref.js';
import { Source } from '../../image/source.js';
import { addDownload } from '../../vm/download/add-download.js';
import { Download } from '../../vm/download/download.js';
import { addHttpServer } from '../../vm/http-server/add-http-server.js';
import { compileCd } from '../../vm/media/cd.js';
import { compileFloppy } from '../../vm/media/floppy.js';
import { vmTidy } from '../../vm/tidy/steps.js';
import { checkQemuProps } from './check-qemu-props.js';
import { addLogin, type Login } from './login.js';
import { guestAddressOfHost, machineSpec, machineTraits } from './machine-spec.js';
import type { QemuSourceProps } from './qemu-props.js';
import { planTrial } from './trial.js';
import { type Architecture, qemuDisk, qemuHost, qemuImage, qemuMachine, qemuReady, qemuRootDisk, qemuShutdown, qemuType } from './steps.js';

const rootfsSize = Size.gibibytes(4);
const installationSize = Size.gibibytes(40);

/**
 * Builds a disk image in a virtual machine of QEMU: from a disk that boots, an installation CD, a root tree, or over the
 * network. QEMU is looked up on this computer and the CPU's own virtualization is used where it truly works.
 * @example
 * new QemuSource(this, 'Vm', { disk: Download.fromUrl('https://…/debian-12-genericcloud-amd64.qcow2', { checksum: 'file:https://…/SHA512SUMS' }) });
 */
export class QemuSource extends Source {
  readonly platform = 'qemu';
  readonly props: QemuSourceProps;

  constructor(scope: Construct, id: string, props: QemuSourceProps) {
    super(scope, id);
    this.props = props;
    checkQemuProps(this, props);
  }

  compile(build: BuildPlanner): void {
    const { props } = this;
    const { architecture } = machineTraits(props);
    const output = this.#output(build.name);
    const host = build.step('Host', { kind: qemuHost, title: `QEMU for ${architecture}`, spec: { architecture, binary: props.qemuBinary, accelerator: props.accelerator ?? 'auto' } });
    const http = props.http === undefined ? undefined : addHttpServer(this, build, 'Http', props.http);
    const login = addLogin(build, props);
    const rootDisk = this.#rootDisk(build, output, architecture, login);
    const disks = this.#disks(build, output, rootDisk);
    const machine = build.step('Machine', {
      kind: qemuMachine,
      title: `virtual machine: ${props.cpus ?? 2} CPUs, ${(props.memory ?? Size.gibibytes(1)).toString()}`,
      spec: {
        ...machineSpec(props), binary: host.ref('binary'), accelerator: host.ref('accelerator'), disks: disks.ref('disks'),
        cds: this.#cds(build), seed: login.seed === undefined ? undefined : build.step('Seed', login.seed).ref('file'), floppy: this.#floppy(build), connection: login.connection,
      },
    }, http === undefined ? {} : { after: [http.step] });
    const typed = this.#bootCommand(build, machine);
    const ready = login.connection === undefined ? typed ?? machine : build.step('Ready', {
      kind: qemuReady, title: 'wait until the machine lets us in',
      spec: { connection: machine.ref('connection'), qmp: machine.ref('qmp'), serialLog: machine.ref('serialLog'), resumed: machine.ref('resumed') },
    }, typed === undefined ? {} : { after: [typed] });
    build.provision({
      step: ready,
      ...(login.connection === undefined ? {} : { connection: machine.ref('connection') }),
      variables: {
        id: machine.ref('id'), host: machine.ref('host'), port: machine.ref('port'), ...login.variables, sourceImageId: disks.ref('base'),
        ...(http === undefined ? {} : { httpHost: guestAddressOfHost, httpPort: http.port, httpAddress: http.addressFor(guestAddressOfHost) }),
      },
    });
    const off = this.#shutdown(build, machine, login, this.#tidy(build, machine, login, rootDisk));
    build.artifact(this.#image(build, output, disks, machine, off));
  }

  override trial(planner: TrialPlanner): Trial {
    return planTrial(this.props, this.#output(planner.buildName), planner);
  }

  #output(buildName: string): TextInput {
    const { output, format = 'qcow2' } = this.props;
    return outputName(output ?? `bake.artifacts/{image}-{build}.${format}`, this, { buildName, platform: this.platform });
  }

  #rootDisk(build: BuildPlanner, output: TextInput, architecture: Architecture, login: Login): PlannedStep | undefined {
    const { rootfs, diskSize, kernelParameters, ssh } = this.props;
    if (rootfs === undefined) return undefined;
    return build.step('RootDisk', {
      kind: qemuRootDisk, title: 'bootable disk of the root tree',
      spec: { artifact: rootfs, output, size: diskSize ?? rootfsSize, architecture: architecture as 'x86_64', kernelParameters, user: ssh?.user ?? 'root', ...login.keys },
    });
  }

  #disks(build: BuildPlanner, output: TextInput, rootDisk: PlannedStep | undefined): PlannedStep {
    const { disk, diskFormat, format = 'qcow2', diskSize, additionalDisks, diskOptions, skipCompaction = false, backingFile = false } = this.props;
    const shared = { output, format, additional: additionalDisks, createOptions: diskOptions, mode: skipCompaction && !backingFile ? 'copy' : 'overlay' };
    if (rootDisk !== undefined) return build.step('Disk', { kind: qemuDisk, title: 'disk of the machine', spec: { ...shared, base: rootDisk.ref('file'), baseFormat: 'raw', mode: 'own' } });
    if (disk === undefined) return build.step('Disk', { kind: qemuDisk, title: 'empty disk', spec: { ...shared, size: diskSize ?? installationSize } });
    return build.step('Disk', { kind: qemuDisk, title: 'disk of the machine', spec: { ...shared, base: this.#file(build, 'Download', disk), baseFormat: diskFormat, size: diskSize } });
  }

  #cds(build: BuildPlanner): readonly Input<unknown>[] | undefined {
    const { iso } = this.props;
    const cd = compileCd(this.props);
    const cds = [
      ...(iso === undefined ? [] : [this.#file(build, 'Iso', iso)]),
      ...(cd === undefined ? [] : [build.step('Cd', cd).ref<string>('file')]),
    ];
    return cds.length === 0 ? undefined : cds;
  }

  #floppy(build: BuildPlanner): Ref<string> | undefined {
    const floppy = compileFloppy(this.props);
    return floppy === undefined ? undefined : build.step('Floppy', floppy).ref('file');
  }

  #file<T>(build: BuildPlanner, name: string, given: T | Download): T | Ref<string> {
    return Download.isDownload(given) ? addDownload(this, build, name, given).ref('file') : given;
  }

  #bootCommand(build: BuildPlanner, machine: PlannedStep): PlannedStep | undefined {
    const { bootCommand, bootWait = Duration.seconds(10), bootKeyInterval } = this.props;
    if (bootCommand === undefined || bootCommand.length === 0) return undefined;
    return build.step('BootCommand', { kind: qemuType, title: `type ${bootCommand.length} boot commands`, spec: { qmp: machine.ref('qmp'), wait: bootWait, command: bootCommand, keyInterval: bootKeyInterval } });
  }

  #tidy(build: BuildPlanner, machine: PlannedStep, login: Login, rootDisk: PlannedStep | undefined): readonly PlannedStep[] {
    const { trim = 'none' } = this.props;
    if (login.tidy === undefined && trim === 'none') return [];
    return [build.step('Tidy', { kind: vmTidy, title: 'take out what building put in', spec: { connection: machine.ref('connection'), ...login.tidy, injected: rootDisk?.ref('injected'), trim } })];
  }

  #shutdown(build: BuildPlanner, machine: PlannedStep, login: Login, after: readonly PlannedStep[]): PlannedStep {
    const { shutdownCommand, shutdownTimeout } = this.props;
    const hasLogin = login.connection !== undefined;
    const command = hasLogin ? shutdownCommand ?? (login.isRoot ? 'poweroff' : undefined) : undefined;
    return build.step('Shutdown', {
      kind: qemuShutdown, title: hasLogin ? 'shut the machine down' : 'wait until the machine switches itself off',
      spec: {
        qmp: machine.ref('qmp'), folder: machine.ref('folder'), serialLog: machine.ref('serialLog'), connection: hasLogin ? machine.ref('connection') : undefined,
        command, powerButton: hasLogin, timeout: shutdownTimeout ?? (hasLogin ? Duration.minutes(5) : Duration.hours(2)),
      },
    }, { after });
  }

  #image(build: BuildPlanner, output: TextInput, disks: PlannedStep, machine: PlannedStep, off: PlannedStep): PlannedStep {
    const { props } = this;
    const { format = 'qcow2', skipCompaction = false, backingFile = false, compression = 'none', diskOptions } = props;
    const { architecture, firmware, machine: type } = machineTraits(props);
    const keepsVars = firmware.type === 'uefi' && firmware.keepVars;
    return build.step('Image', {
      kind: qemuImage, title: typeof output === 'string' ? `disk image ${output}` : 'disk image',
      spec: {
        disks: disks.ref('disks'), output, format, compact: !skipCompaction, keepBackingFile: backingFile, base: backingFile ? disks.ref('base') : undefined, compression, convertOptions: diskOptions,
        efiVars: keepsVars ? machine.ref('efiVars') : undefined, architecture, firmware: firmware.type, machine: type, tags: build.tags,
      },
    }, { lifetime: 'artifact', after: [off] });
  }
}
