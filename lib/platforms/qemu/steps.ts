import * as z from 'zod';
import type { Artifact } from '../../core/artifact.js';
import type { Connection } from '../../core/communicator.js';
import type { JsonObject } from '../../core/json.js';
import { late } from '../../plan/late.js';
import { defineStepKind } from '../../plan/step-kind.js';

export const architectures = ['x86_64', 'aarch64', 'riscv64', 'ppc64', 's390x'] as const;
/** A target of QEMU, as in the name of its program. */
export type Architecture = (typeof architectures)[number];
export const accelerators = ['auto', 'kvm', 'hvf', 'whpx', 'tcg'] as const;
export const diskFormats = ['qcow2', 'raw', 'vmdk', 'vdi', 'vhdx'] as const;
export type DiskFormat = (typeof diskFormats)[number];
export const diskInterfaces = ['virtio', 'virtio-scsi', 'ide', 'sata', 'nvme', 'usb'] as const;
export const cdInterfaces = ['ide', 'sata', 'virtio-scsi', 'usb'] as const;

const port = z.int().min(1).max(65_535);
/** QEMU counts screens from this port on. */
const screenPort = z.int().min(5_900, 'must be 5900 or higher, where screens are').max(65_535);
const bytes = z.int().min(1);
const milliseconds = z.number().min(0);
const name = (what: string) => z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._+,=:-]*$/, `must be ${what}`);

const asArtifact: z.ZodType<Artifact> = z.custom<Artifact>((value) => {
  const { type, id, files } = (value ?? {}) as JsonObject;
  return typeof type === 'string' && typeof id === 'string' && Array.isArray(files);
}, 'must be the artifact of another source, such as base.artifact');

const asConnection: z.ZodType<Connection> = z.custom<Connection>((value) => typeof (value as JsonObject | null)?.['kind'] === 'string', 'must be a connection');

const disk = z.strictObject({ file: z.string(), format: z.string() });
/** A disk of a machine: an absolute path, and its format as QEMU names it. */
export type Disk = z.output<typeof disk>;

/** Looks QEMU up on this computer, and finds the accelerator that works. */
export const qemuHost = defineStepKind({
  kind: 'qemu.host',
  type: 'action',
  lookup: ['version', 'accelerator'],
  version: 1,
  spec: z.strictObject({ architecture: z.enum(architectures), binary: z.string().min(1).optional(), accelerator: z.enum(accelerators) }),
  outputs: ['binary', 'version', 'accelerator'],
});

/** The disks that the machine writes to, in a hidden folder next to where the image will be. */
export const qemuDisk = defineStepKind({
  kind: 'qemu.disk',
  type: 'resource',
  noun: 'disks',
  whereabouts: ['output'],
  version: 1,
  cost: 'io',
  spec: z.strictObject({
    /** Where the image will be. */
    output: late(z.string().min(1)),
    /** A disk to start from: its path, relative to the project, or the artifact that has it. */
    base: late(z.union([z.string().min(1), asArtifact])).optional(),
    baseFormat: z.enum(diskFormats).optional(),
    size: bytes.optional(),
    /** `overlay`: only what changes is written, and the base is read through it. `copy`: a copy of the base. `own`: the base itself, which was made for this machine. */
    mode: z.enum(['overlay', 'copy', 'own']),
    /** The format of a copy; an overlay is a qcow2. */
    format: z.enum(diskFormats),
    additional: z.array(bytes).optional(),
    createOptions: z.record(z.string(), z.string()).optional(),
  }),
  outputs: ['folder', 'disks', 'base'],
});

/** A root tree made bootable, as a raw disk in a hidden folder next to where the image will be. */
export const qemuRootDisk = defineStepKind({
  kind: 'qemu.rootDisk',
  type: 'resource',
  noun: 'bootable disk',
  whereabouts: ['output'],
  atCheckpoint: 'inside',
  version: 1,
  cost: 'cpu',
  spec: z.strictObject({
    artifact: late(asArtifact),
    output: late(z.string().min(1)),
    size: bytes,
    architecture: z.enum(['x86_64', 'aarch64']),
    kernelParameters: z.array(late(z.string())).optional(),
    authorizedKey: late(z.string()).optional(),
    hostKeyFile: late(z.string()).optional(),
    hostPublicKey: late(z.string()).optional(),
    user: z.string().optional(),
  }),
  outputs: ['folder', 'file', 'injected'],
});

const firmware = z.strictObject({
  type: z.enum(['bios', 'uefi']),
  secureBoot: z.boolean().optional(),
  code: late(z.string().min(1)).optional(),
  vars: late(z.string().min(1)).optional(),
});
export type FirmwareSpec = z.output<typeof firmware>;

const forward = z.strictObject({ guestPort: port, hostPort: port.optional(), protocol: z.enum(['tcp', 'udp']).optional(), hostAddress: z.string().optional() });

/** What the virtual machine is made of; shared by builds and trials. */
const machineFields = {
  binary: late(z.string().min(1)),
  accelerator: late(z.string().min(1)),
  architecture: z.enum(architectures),
  machine: name('a machine type, such as q35').optional(),
  cpu: name('a CPU model, such as host or Haswell,+aes').optional(),
  cpus: z.int().min(1).max(1_024),
  topology: z.strictObject({ sockets: z.int().min(1).optional(), cores: z.int().min(1).optional(), threads: z.int().min(1).optional() }).optional(),
  memory: bytes,
  firmware,
  tpm: z.enum(['1.2', '2.0']).optional(),
  diskInterface: z.enum(diskInterfaces).optional(),
  diskCache: z.enum(['none', 'writeback', 'unsafe', 'directsync', 'writethrough']),
  diskDiscard: z.enum(['unmap', 'ignore']),
  diskDetectZeroes: z.enum(['off', 'on', 'unmap']),
  cds: z.array(late(z.string().min(1))).optional(),
  /** What cloud-init reads. */
  seed: late(z.string().min(1)).optional(),
  cdInterface: z.enum(cdInterfaces).optional(),
  floppy: late(z.string().min(1)).optional(),
  kernel: z.strictObject({ kernel: late(z.string().min(1)), initrd: late(z.string().min(1)).optional(), arguments: late(z.string()).optional() }).optional(),
  netboot: z.strictObject({ folder: late(z.string().min(1)), bootFile: z.string().min(1) }).optional(),
  netDevice: name('a network device, such as virtio-net-pci').optional(),
  netBridge: name('the name of a bridge').optional(),
  macAddress: z.string().regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i, 'must be a MAC address, such as 52:54:00:12:34:56').optional(),
  hostPort: port.optional(),
  guestPort: port,
  forwards: z.array(forward).optional(),
  /** Ports of the machine that get a free port of this computer's loopback each. */
  publish: z.array(port).optional(),
  /** Keys that systemd (252 and newer) in the machine installs for root as it starts: handed in as firmware data, on no disk. */
  systemdKeys: z.strictObject({ authorizedKey: late(z.string()).optional(), hostKeyFile: late(z.string()), hostPublicKey: late(z.string()) }).optional(),
  /** `window` is the one of this computer's system. */
  display: z.string().min(1).optional(),
  vga: name('a graphics card, such as std').optional(),
  vnc: z.strictObject({ bindAddress: z.string().optional(), portMin: screenPort.optional(), portMax: screenPort.optional(), password: late(z.string().min(1).max(8)).optional() })
    .refine(({ portMin = 5_900, portMax = 6_000 }) => portMin <= portMax, { path: ['portMax'], message: 'must not be lower than portMin' }).optional(),
  qemuArgs: z.array(z.tuple([z.string().regex(/^-[a-z]/, 'must be an option of QEMU, such as -device')]).rest(late(z.string())).or(z.tuple([z.string().regex(/^-[a-z]/), late(z.string())]))).optional(),
  removeQemuArgs: z.array(z.string().min(1)).optional(),
  /** With `host` and `port` to be filled in; none if nobody logs in. */
  connection: asConnection.optional(),
};

/** A running virtual machine. */
export const qemuMachine = defineStepKind({
  kind: 'qemu.machine',
  type: 'resource',
  noun: 'virtual machine',
  version: 2,
  spec: z.strictObject({ ...machineFields, disks: late(z.array(disk)) }),
  outputs: ['connection', 'id', 'host', 'port', 'ports', 'qmp', 'serialLog', 'vnc', 'efiVars', 'folder', 'disks', 'resumed'],
  opaque: ['connection'],
});
export type MachineSpec = z.output<(typeof qemuMachine)['spec']>;

const address = z.union([z.string().min(1), z.int()]);

/** Types at the machine's keyboard. */
export const qemuType = defineStepKind({
  kind: 'qemu.type',
  type: 'action',
  atCheckpoint: 'inside',
  version: 1,
  spec: z.strictObject({ qmp: late(address), wait: milliseconds, command: z.array(late(z.string())), keyInterval: milliseconds.optional() }),
  outputs: [],
});

/** Waits until the machine lets somebody in. */
export const qemuReady = defineStepKind({
  kind: 'qemu.ready',
  type: 'action',
  atCheckpoint: 'again',
  version: 1,
  spec: z.strictObject({ connection: late(asConnection), qmp: late(address), serialLog: late(z.string()), resumed: late(z.boolean()).optional() }),
  outputs: [],
});

/** Shuts the machine down and waits until it is off. */
export const qemuShutdown = defineStepKind({
  kind: 'qemu.shutdown',
  type: 'action',
  version: 1,
  spec: z.strictObject({
    qmp: late(address),
    folder: late(z.string()),
    serialLog: late(z.string()),
    connection: late(asConnection).optional(),
    /** Run in the machine; without it the power button is pressed, and without a connection the machine is waited for. */
    command: late(z.string()).optional(),
    powerButton: z.boolean(),
    timeout: milliseconds,
  }),
  outputs: [],
});

/** The finished disks under their final names. */
export const qemuImage = defineStepKind({
  kind: 'qemu.image',
  type: 'resource',
  noun: 'disk image',
  version: 1,
  cost: 'cpu',
  spec: z.strictObject({
    disks: late(z.array(disk)),
    output: late(z.string().min(1)),
    format: z.enum(diskFormats),
    /** False: a disk that needs no other format is only renamed. */
    compact: z.boolean(),
    /** The image stays a difference to the base. */
    keepBackingFile: z.boolean(),
    /** That base. */
    base: late(z.string()).optional(),
    compression: z.enum(['none', 'zlib', 'zstd']),
    convertOptions: z.record(z.string(), z.string()).optional(),
    efiVars: late(z.string()).optional(),
    architecture: z.enum(architectures),
    firmware: z.enum(['bios', 'uefi']),
    machine: z.string(),
    tags: z.record(z.string(), z.string()).optional(),
  }),
  outputs: ['artifact', 'paths'],
});

/** The machine type that a spec without one means. */
export function machineTypeOf({ machine, architecture }: { readonly machine?: string | undefined; readonly architecture: Architecture }): string {
  return machine ?? { x86_64: 'q35', aarch64: 'virt', riscv64: 'virt', ppc64: 'pseries', s390x: 's390-ccw-virtio' }[architecture];
}
