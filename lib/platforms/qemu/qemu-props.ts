import type { SshMachineOptions } from '../../communicators/ssh/index.js';
import type { Artifact } from '../../core/artifact.js';
import type { Duration } from '../../core/duration.js';
import type { Secret } from '../../core/secret.js';
import type { Size } from '../../core/size.js';
import type { Input, Ref, TextInput } from '../../image/ref.js';
import type { Download } from '../../vm/download/download.js';
import type { HttpServerProps } from '../../vm/http-server/http-server.js';
import type { CdProps } from '../../vm/media/cd.js';
import type { CloudInitProps } from '../../vm/media/cloud-init/seed.js';
import type { FloppyProps } from '../../vm/media/floppy.js';
import type { accelerators, Architecture, cdInterfaces, DiskFormat, diskInterfaces } from './steps.js';

/** What the machine starts from. One of `disk`, `iso`, `rootfs`, or none of them with `netboot` or `kernel` for an installation over the network. */
export interface QemuBaseProps {
  /**
   * A disk that boots: a path (relative to the folder of `image.ts`), a `Download`, or the artifact of another `QemuSource`
   * (`base.artifact`). It is never written to.
   */
  readonly disk?: TextInput | Download | Ref<Artifact>;
  /** Format of `disk`. @default - read from its content; give `raw` for a raw disk of unknown origin */
  readonly diskFormat?: DiskFormat;
  /** An installation CD: a path or a `Download`. The disk is empty then, of `diskSize`. */
  readonly iso?: TextInput | Download;
  /**
   * The artifact of a `BootstrapSource` (tarball or folder) with a kernel in it; it gets a partition table, an ext4 and a
   * boot loader. Each machine of the image makes a machine id and ssh host keys of its own when it first starts.
   */
  readonly rootfs?: Ref<Artifact>;
  /** What the kernel of a `rootfs` is started with, besides its root, its consoles and, on x86_64, `no_timer_check`: `['quiet', 'net.ifnames=0']`. Stays in the image. @default - nothing */
  readonly kernelParameters?: readonly TextInput[];
  /** Boots this kernel directly, past firmware and boot loader. Only files and plain texts: arguments can be read by everybody on this computer. */
  readonly kernel?: QemuKernelProps;
  /** Boots over the network from this folder, which QEMU serves by TFTP to its guest only. */
  readonly netboot?: QemuNetbootProps;
}

export interface QemuKernelProps {
  /** Path of the kernel. */
  readonly kernel: TextInput;
  /** Path of the initial RAM disk. @default - none */
  readonly initrd?: TextInput;
  /** The kernel's command line; late values such as `build.httpAddress` may be in it, secrets may not. @default - none */
  readonly arguments?: TextInput;
}

export interface QemuNetbootProps {
  readonly folder: TextInput;
  /** The program to start, relative to `folder`: `pxelinux.0`, `grubx64.efi`. */
  readonly bootFile: string;
}

/** The disks of the machine and what becomes of them. */
export interface QemuDiskProps {
  /** Where the image goes, relative to the folder of `image.ts`; `{image}`, `{build}` and `{platform}` are filled in. More disks get `-1`, `-2` … before the ending. @default 'bake.artifacts/{image}-{build}.<format>' */
  readonly output?: TextInput;
  /** Format of the image. @default 'qcow2' */
  readonly format?: DiskFormat;
  /** Size of the first disk as the guest sees it. @default - that of `disk`; Size.gibibytes(4) for a `rootfs`, Size.gibibytes(40) for an installation */
  readonly diskSize?: Size;
  /** Further disks, empty. @default - none */
  readonly additionalDisks?: readonly Size[];
  /** @default 'virtio' */
  readonly diskInterface?: (typeof diskInterfaces)[number];
  /** How QEMU treats this computer's cache. What is lost by `unsafe` in a power cut is a build. @default 'unsafe' */
  readonly diskCache?: 'none' | 'writeback' | 'unsafe' | 'directsync' | 'writethrough';
  /** Whether what the guest discards becomes free. @default 'unmap' */
  readonly diskDiscard?: 'unmap' | 'ignore';
  /** Whether written zeroes are stored as nothing; `unmap` frees what was there. @default 'off' */
  readonly diskDetectZeroes?: 'off' | 'on' | 'unmap';
  /** Options for making a qcow2, as of `qemu-img create -o`: `{ cluster_size: '64k' }`. @default - none */
  readonly diskOptions?: Readonly<Record<string, string>>;
  /** Leaves the image as a difference to `disk`: made at once and small, and of no use without `disk` at the same place. Only for qcow2. @default false */
  readonly backingFile?: boolean;
  /** What of the disk is freed before the machine is shut down: nothing, what its file systems do not use (`fstrim`), or the same by writing zeroes, for guests without discard. @default 'none' */
  readonly trim?: 'none' | 'discard' | 'zero';
  /** Compresses the image (qcow2, vmdk). `zstd` is quicker and smaller, and needs QEMU 5.1 to read. @default 'none' */
  readonly compression?: 'none' | 'zlib' | 'zstd';
  /** Renames the disk as the machine left it, instead of writing it anew without what is empty. @default false */
  readonly skipCompaction?: boolean;
}

/** The machine. */
export interface QemuMachineProps {
  /** The processor. One that is not this computer's is emulated. @default 'x86_64' */
  readonly architecture?: Architecture;
  /** Name or path of QEMU's program. @default 'qemu-system-<architecture>' */
  readonly qemuBinary?: string;
  /** `auto` takes this computer's own (KVM, HVF, WHPX) if a guest really runs with it, and emulates the CPU (`tcg`) otherwise. @default 'auto' */
  readonly accelerator?: (typeof accelerators)[number];
  /** @default - q35 for x86_64, virt for aarch64 and riscv64 */
  readonly machine?: string;
  /** CPU model, with features: `host`, `Haswell,+aes`. @default - the computer's own, or all that can be emulated */
  readonly cpu?: string;
  /** @default 2 */
  readonly cpus?: number;
  /** @default - each CPU is a socket of its own */
  readonly topology?: { readonly sockets?: number; readonly cores?: number; readonly threads?: number };
  /** @default Size.gibibytes(1) */
  readonly memory?: Size;
  /** `bios`, or `uefi` with the firmware that this computer has. @default - bios on x86_64, uefi elsewhere */
  readonly firmware?: 'bios' | 'uefi' | QemuFirmwareProps;
  /** An emulated TPM (needs swtpm); true is version 2.0. @default false */
  readonly tpm?: boolean | '1.2' | '2.0';
  /** Where CDs are attached. @default - IDE on a PC, SATA on q35, virtio-scsi elsewhere */
  readonly cdInterface?: (typeof cdInterfaces)[number];
  /** @default 'virtio-net-pci' */
  readonly netDevice?: string;
  /** A bridge of this computer; the machine is then found by its address there (Linux, needs `qemu-bridge-helper`). @default - a network of its own, with this computer as router */
  readonly netBridge?: string;
  /** @default - one made of the run */
  readonly macAddress?: string;
  /** The port of this computer that leads to the machine's ssh. @default - a free one */
  readonly hostPort?: number;
  /** Further ports of this computer that lead into the machine. @default - none */
  readonly forwards?: readonly QemuForwardProps[];
  /** Shows no window. @default - true unless `display` is given */
  readonly headless?: boolean;
  /** Which window, if there is one: `gtk`, `sdl`, `cocoa`. @default - gtk, on macOS cocoa */
  readonly display?: string;
  /** Graphics card. @default 'std' */
  readonly vga?: string;
  /** Shows the screen by VNC, true: at 127.0.0.1 on a free port from 5900 on. @default false */
  readonly vnc?: boolean | QemuVncProps;
  /**
   * Options of QEMU, each with its value: `[['-device', 'virtio-balloon-pci,id=balloon0'], ['-snapshot']]`. One that can be
   * there once (`-cpu`) and one with the same `id=` takes the place of bake's own; others are added. No secrets: they can be
   * read by everybody on this computer.
   * @default - none
   */
  readonly qemuArgs?: readonly (readonly [option: string, value?: TextInput])[];
  /** Options of bake's own to leave out, by name (`-vga`) or `id` (`rng0`). @default - none */
  readonly removeQemuArgs?: readonly string[];
}

export interface QemuFirmwareProps {
  readonly type: 'bios' | 'uefi';
  /** Path of the firmware. @default - this computer's */
  readonly code?: TextInput;
  /** Path of its variables; a copy is used. @default - this computer's */
  readonly vars?: TextInput;
  /** Starts signed programs only; needs `machine: 'q35'`. @default false */
  readonly secureBoot?: boolean;
  /** Gives the variables out beside the image. @default true */
  readonly keepVars?: boolean;
}

/** A TCP or UDP port of this computer that leads into the machine. */
export interface QemuForwardProps {
  readonly guestPort: number;
  /** @default - the same as `guestPort` */
  readonly hostPort?: number;
  /** @default 'tcp' */
  readonly protocol?: 'tcp' | 'udp';
  /** @default '127.0.0.1' */
  readonly hostAddress?: string;
}

export interface QemuVncProps {
  /** @default '127.0.0.1' */
  readonly bindAddress?: string;
  /** @default 5900 */
  readonly portMin?: number;
  /** @default 6000 */
  readonly portMax?: number;
  /** Asked for before the screen is shown; 8 characters at most, as VNC has it. @default - none */
  readonly password?: Secret;
}

/** How the machine is told what to do, and who logs in. */
export interface QemuAccessProps {
  /** `none`: nobody logs in, and the machine is waited for until it switches itself off. @default 'ssh' */
  readonly communicator?: 'ssh' | 'none';
  /**
   * Who logs in and how. A `disk` with cloud-init and a `rootfs` need nothing here: a key pair and a host key are made for the
   * run, and are taken out of the image at the end. Else name the `hostKey`, which says which machine is trusted, and give a
   * login, or let the installation authorize `build.sshPublicKey`, the key of the run.
   * @default - root, with a key pair made for the run
   */
  readonly ssh?: QemuSshProps;
  /** Configures the machine by cloud-init (data source NoCloud). False for a `disk` without it. @default - true for a `disk` without a login of its own in `ssh` */
  readonly cloudInit?: boolean | CloudInitProps;
  /** A web server of this run that the machine reaches at `build.httpAddress`. @default - none */
  readonly http?: HttpServerProps;
  /** What to type, in Packer's language: `['<esc><wait>', 'auto url=', str`${'$'}{build.httpAddress}/preseed.cfg`, '<enter>']`. @default - nothing */
  readonly bootCommand?: readonly TextInput[];
  /** Time from the start of the machine until `bootCommand` is typed. @default - Duration.seconds(10) if there is something to type, else none */
  readonly bootWait?: Duration;
  /** Time between two keystrokes. @default Duration.milliseconds(20) */
  readonly bootKeyInterval?: Duration;
  /** Switches the machine off, run in it as the login user: `sudo poweroff`. @default - poweroff for root, else the power button is pressed (ACPI) */
  readonly shutdownCommand?: TextInput;
  /** How long the machine may take to go down, or with `communicator: 'none'` to be done; it is killed then, and the build fails. @default Duration.minutes(5); Duration.hours(2) with communicator 'none' */
  readonly shutdownTimeout?: Duration;
}

/** The login of a machine; its host and port are known. */
export interface QemuSshProps extends Omit<SshMachineOptions, 'user' | 'port'> {
  /** @default 'root' */
  readonly user?: TextInput;
  /** The port of the machine's ssh server, seen from within. @default 22 */
  readonly port?: Input<number>;
}

export interface QemuSourceProps extends QemuBaseProps, QemuDiskProps, QemuMachineProps, QemuAccessProps, CdProps, FloppyProps {}
