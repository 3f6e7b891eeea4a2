import { sshBastionPropNames, sshMachineOptionNames } from '../../communicators/ssh/ssh-props.js';
import { BakeError } from '../../core/bake-error.js';
import { Secret } from '../../core/secret.js';
import { Annotations } from '../../image/annotations.js';
import { checkProps } from '../../image/check-props.js';
import { LateText } from '../../image/ref.js';
import type { Source } from '../../image/source.js';
import { checkBootCommand } from '../../vm/boot-command/check-boot-command.js';
import { cdPropNames } from '../../vm/media/cd.js';
import { cloudInitPropNames } from '../../vm/media/cloud-init/seed.js';
import { floppyPropNames } from '../../vm/media/floppy.js';
import { hasOwnLogin, putsKeysIn } from './login.js';
import { machineTraits } from './machine-spec.js';
import type { QemuSourceProps } from './qemu-props.js';

const propNames: Readonly<Record<keyof Required<QemuSourceProps>, true>> = {
  disk: true, diskFormat: true, iso: true, rootfs: true, kernelParameters: true, kernel: true, netboot: true,
  output: true, format: true, diskSize: true, additionalDisks: true, diskInterface: true, diskCache: true, diskDiscard: true, diskDetectZeroes: true, diskOptions: true,
  backingFile: true, trim: true, compression: true, skipCompaction: true,
  architecture: true, qemuBinary: true, accelerator: true, machine: true, cpu: true, cpus: true, topology: true, memory: true, firmware: true, tpm: true, cdInterface: true,
  netDevice: true, netBridge: true, macAddress: true, hostPort: true, forwards: true, headless: true, display: true, vga: true, vnc: true, qemuArgs: true, removeQemuArgs: true,
  communicator: true, ssh: true, cloudInit: true, http: true, bootCommand: true, bootWait: true, bootKeyInterval: true, shutdownCommand: true, shutdownTimeout: true,
  ...cdPropNames, ...floppyPropNames,
};

type Fault = (code: string, message: string, hint: string) => void;

/** Finds what does not fit together, before anything is made; each finding is an error annotation of the source. */
export function checkQemuProps(source: Source, props: QemuSourceProps): void {
  checkProps(source, props, propNames);
  if (props.ssh !== undefined) checkProps(source, props.ssh, sshMachineOptionNames);
  if (props.ssh?.bastion !== undefined) checkProps(source, props.ssh.bastion, sshBastionPropNames);
  if (typeof props.cloudInit === 'object') checkProps(source, props.cloudInit, cloudInitPropNames);
  const fault: Fault = (code, message, hint) => Annotations.of(source).addError(message, { code, hint });
  checkBase(props, fault);
  checkImage(props, fault);
  checkMachine(props, fault);
  checkLogin(props, fault);
  checkTyping(props, fault);
  checkArguments(props, fault);
}

function checkBase(props: QemuSourceProps, fault: Fault): void {
  const { disk, rootfs, diskFormat, architecture = 'x86_64' } = props;
  const given = (['disk', 'iso', 'rootfs'] as const).filter((name) => props[name] !== undefined);
  if (given.length > 1) fault('ConflictingProps', `${given.map((name) => `"${name}"`).join(' and ')} are given, and a machine starts from one thing`, 'leave the others out');
  if (given.length === 0 && props.netboot === undefined && props.kernel === undefined) fault('NoBase', 'there is nothing that the machine could boot', 'give one of disk, iso, rootfs, netboot, kernel');
  for (const name of ['disk', 'iso'] as const) {
    const value = props[name];
    if (typeof value === 'string' && /^[a-z]+:\/\//i.test(value)) fault('ChecksumMissing', `"${name}" is a URL, and nothing says what must come from there`, `write ${name}: Download.fromUrl('${value}', { checksum: 'sha256:…' })`);
  }
  if (diskFormat !== undefined && disk === undefined) fault('InvalidProp', '"diskFormat" is the format of "disk", which is not given', 'leave it out; the format of the image is "format"');
  if (props.kernelParameters !== undefined && rootfs === undefined) fault('InvalidProp', '"kernelParameters" are for a boot loader that bake makes, that of a "rootfs"', 'leave them out; a kernel that QEMU starts has kernel.arguments');
  if (rootfs !== undefined && architecture !== 'x86_64' && architecture !== 'aarch64') fault('InvalidProp', `a root tree for ${architecture} cannot be made bootable`, 'give x86_64 or aarch64, or a disk');
}

function checkImage({ format = 'qcow2', backingFile, disk, compression = 'none', skipCompaction }: QemuSourceProps, fault: Fault): void {
  if (backingFile === true && (disk === undefined || format !== 'qcow2')) fault('InvalidProp', '"backingFile" leaves a qcow2 that builds on "disk"', disk === undefined ? 'give a disk, or leave backingFile out' : "leave format out, or give 'qcow2'");
  if (backingFile === true && compression !== 'none') fault('ConflictingProps', '"compression" would write the whole image, and "backingFile" only the difference', 'leave one of them out');
  if (compression !== 'none' && skipCompaction === true) fault('ConflictingProps', '"compression" writes the image anew, and "skipCompaction" forbids it', 'leave one of them out');
  if (compression !== 'none' && format !== 'qcow2' && !(format === 'vmdk' && compression === 'zlib')) fault('InvalidProp', `a ${format} cannot be compressed with ${compression}`, "use format: 'qcow2', or the post-processor Compress");
}

function checkMachine(props: QemuSourceProps, fault: Fault): void {
  const { firmware, netBridge, hostPort, forwards, headless, display } = props;
  const { machine, firmware: { type } } = machineTraits(props);
  if (typeof firmware === 'object' && firmware.secureBoot === true && (type !== 'uefi' || !machine.includes('q35'))) fault('InvalidProp', `secure boot needs UEFI and the machine q35, not ${type} and ${machine}`, "write firmware: { type: 'uefi', secureBoot: true }, and leave machine out");
  if (netBridge !== undefined && (hostPort !== undefined || forwards !== undefined)) fault('ConflictingProps', `a machine on the bridge ${netBridge} has an address of its own, and no ports are forwarded to it`, `leave "${hostPort === undefined ? 'forwards' : 'hostPort'}" out`);
  if (headless === true && display !== undefined) fault('ConflictingProps', `"display" is ${display}, and "headless" shows none`, 'leave one of them out');
}

function checkLogin(props: QemuSourceProps, fault: Fault): void {
  const { communicator = 'ssh', ssh, shutdownCommand, trim = 'none', disk } = props;
  if (communicator === 'none') {
    const useless = [ssh === undefined ? undefined : 'ssh', shutdownCommand === undefined ? undefined : 'shutdownCommand', trim === 'none' ? undefined : 'trim'].filter((name) => name !== undefined);
    if (useless.length > 0) fault('ConflictingProps', `with communicator 'none' nobody logs in, so ${useless.map((name) => `"${name}"`).join(', ')} would have no effect`, 'leave them out, or the communicator');
    return;
  }
  if (putsKeysIn(props)) return;
  // What installs a machine can be given the run's own key, build.sshPublicKey; a disk cannot.
  if (disk !== undefined && !hasOwnLogin(ssh)) fault('NoLogin', 'nothing says how to log in to this machine', "give ssh: { user, privateKeyFile, hostKey }, or leave cloudInit out if there is cloud-init on the disk; communicator: 'none' is for a machine that nobody logs in to");
  if (ssh?.hostKey === undefined) fault('HostKeyNotNamed', 'nothing says which host key this machine shows', "give ssh: { hostKey: HostKey.publicKey('ssh-ed25519 …') } or HostKey.fingerprint('SHA256:…'); for a key that the machine makes by itself, HostKey.insecureAcceptAny() trusts whoever answers on its loopback port");
}

function checkTyping({ bootCommand, bootWait, bootKeyInterval }: QemuSourceProps, fault: Fault): void {
  if (bootCommand === undefined) {
    const useless = [bootWait === undefined ? undefined : 'bootWait', bootKeyInterval === undefined ? undefined : 'bootKeyInterval'].filter((name) => name !== undefined);
    if (useless.length > 0) fault('InvalidProp', `${useless.map((name) => `"${name}"`).join(', ')} would have no effect: there is nothing to type`, 'leave it out, or give bootCommand');
    return;
  }
  try {
    checkBootCommand(bootCommand);
  } catch (error) {
    const { code, message, hint = '' } = BakeError.from(error);
    fault(code, message, hint);
  }
}

/** What is in the arguments of a process, everybody on the computer can read. */
function checkArguments({ qemuArgs = [], kernel }: QemuSourceProps, fault: Fault): void {
  const named = [...qemuArgs.map(([option, value]) => [`qemuArgs ${option}`, value] as const), ['kernel.arguments', kernel?.arguments] as const];
  for (const [name, value] of named) {
    const parts = value instanceof LateText ? value.parts : [value];
    if (parts.some((part) => part instanceof Secret)) fault('SecretInArguments', `"${name}" has a secret in it, and everybody on this computer can read the arguments of a program`, 'hand it in by cloudInit, cdContent or http');
  }
}
