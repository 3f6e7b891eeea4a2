import type { Artifact } from '../../core/artifact.js';
import type { Input, TextInput } from '../../image/ref.js';
import type { compressions, variants } from './steps.js';

/** How many packages a suite is bootstrapped with, from none to Debian's standard system; mmdebstrap(1) defines them. */
export type BootstrapVariant = (typeof variants)[number];
/** All use every core; the same input gives the same bytes as long as the programs have the same version. */
export type RootfsCompression = (typeof compressions)[number];

/**
 * Where a root tree starts and what becomes of it. Exactly one of `suite`, `tarball` and `artifact` is the base; with none
 * of them it is Debian's suite `bookworm`.
 */
export interface BootstrapSourceProps {
  /** A suite of Debian, Ubuntu or another distribution of packages, such as `trixie` or `noble`; made with mmdebstrap. @default 'bookworm' */
  readonly suite?: string;
  /** @default 'minbase' */
  readonly variant?: BootstrapVariant;
  /** Packages to install besides those of the variant; names as apt takes them, such as `nginx-light` or `nginx=1.22.*`. @default - none */
  readonly packages?: readonly string[];
  /**
   * Where the packages are: an address, a line of `sources.list`, or the path of such a file. Stays in the image's
   * `sources.list`, so give no password in it. `{snapshot}` in an address, as in
   * `https://host/archive/debian/{snapshot}`, stands for the newest snapshot of an archive that keeps them all:
   * `bake.lock.json` pins it, and later runs take the same packages.
   * @default - the suite's own mirrors, security updates included
   */
  readonly mirror?: string;
  /** Several of them. @default - `mirror` */
  readonly mirrors?: readonly string[];
  /** Parts of the archive, such as `['main', 'contrib']`. @default ['main'] */
  readonly components?: readonly string[];
  /** Debian's name, such as `arm64`. Another than this computer's needs qemu-user-static. For a tarball or artifact it only says what is in it. @default - this computer's */
  readonly architecture?: string;
  /** Files or folders with the keys that the mirror signs with; relative to the folder of `image.ts`. @default - this computer's own for that distribution */
  readonly keyring?: string | readonly string[];
  /** Options of apt while the base is made, each as a line of `apt.conf`, such as `Acquire::Retries "3"`. They stay in the image. @default - none */
  readonly aptOptions?: readonly string[];

  /** Path of a tar archive of a root tree, with any compression that tar knows; relative to the folder of `image.ts`. @default - `suite` is the base */
  readonly tarball?: TextInput;
  /** What another source made: a rootfs.tarball, rootfs.directory, rootfs.oci or docker.export. @default - `suite` is the base */
  readonly artifact?: Input<Artifact>;

  /** What comes out. @default - a tarball without compression, see `TarballOutput` */
  readonly output?: RootfsOutput;
  /** What is newer in the image gets this time, so that two builds give the same bytes; also given to provisioners as SOURCE_DATE_EPOCH. @default new Date('2000-01-01T00:00:00Z') */
  readonly clampTime?: Date;
  /** Removes apt's lists, caches and packages from the image. @default true */
  readonly cleanPackageCache?: boolean;
  /** Empties the files under `/var/log` of the image. @default true */
  readonly clearLogs?: boolean;
  /** Host name while provisioners run; the image's own `/etc/hostname` is left as it is. @default 'localhost' */
  readonly hostname?: string;
}

export type RootfsOutput = TarballOutput | DirectoryOutput | OciOutput;

/** A tar archive: sorted, times clamped, owners as numbers; artifact type `rootfs.tarball`. */
export interface TarballOutput {
  /** @default 'tarball' */
  readonly format?: 'tarball';
  /** Relative to the folder of `image.ts`. @default - `bake.artifacts/<image>-<source>.tar`, with `.gz`, `.zst` or `.xz` */
  readonly path?: TextInput;
  /** @default - what the ending of `path` says; none */
  readonly compression?: RootfsCompression;
}

/** A folder, its owners kept; artifact type `rootfs.directory`. */
export interface DirectoryOutput {
  readonly format: 'directory';
  /** Relative to the folder of `image.ts`. @default - `bake.artifacts/<image>-<source>` */
  readonly path?: TextInput;
}

/** An OCI image layout with one layer; artifact type `rootfs.oci`. */
export interface OciOutput {
  readonly format: 'oci';
  /** Relative to the folder of `image.ts`. @default - `bake.artifacts/<image>-<source>.oci` */
  readonly path?: TextInput;
  /** Of the layer. @default 'gzip' */
  readonly compression?: Exclude<RootfsCompression, 'xz'>;
  /** Name of the image inside the layout. @default 'latest' */
  readonly tag?: string;
  /** @default - none */
  readonly entrypoint?: readonly TextInput[];
  /** @default - none */
  readonly cmd?: readonly TextInput[];
  /** Variables; PATH is set unless it is among them. @default - only PATH */
  readonly env?: Readonly<Record<string, TextInput>>;
  /** Ports such as 80 (tcp) or `'53/udp'`. @default - none */
  readonly exposedPorts?: readonly (number | string)[];
  /** The source's tags are labels too. @default - the tags */
  readonly labels?: Readonly<Record<string, TextInput>>;
  /** @default '/' */
  readonly workdir?: string;
  /** `name`, `uid`, `name:group` or `uid:gid`. @default - root */
  readonly user?: string;
  /** Folders that keep their data outside. @default - none */
  readonly volumes?: readonly string[];
  /** Such as `SIGQUIT`. @default 'SIGTERM' */
  readonly stopSignal?: string;
}
