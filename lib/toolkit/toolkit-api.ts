import type { BuildForecast } from '../engine/cache/forecast.js';
import type { SizedCheckpoint as PrunedCheckpoint } from '../engine/cache/prune.js';
import type { DoctorCheck, ImagePruning, PrunedImage } from '../engine/extension.js';
import type { Session } from '../engine/session.js';
import type { Diagnostic } from '../core/diagnostic.js';
import type { BuildSummary, ErrorReport, IoHost, Leftover } from '../core/events.js';
import type { JsonObject } from '../core/json.js';
import type { Plan } from '../plan/plan.js';
import type { ArtifactFile } from '../core/artifact.js';

export type { PrunedImage } from '../engine/extension.js';
export type { BuildForecast, Reason, StepForecast } from '../engine/cache/forecast.js';

export type { SizedCheckpoint as PrunedCheckpoint } from '../engine/cache/prune.js';

/** What `bake` can do, for a command line, a test or another program. `createToolkit` makes one. */
export interface Toolkit {
  /**
   * Loads `image.ts`, synthesizes and writes `bake.out/`. With `foresee` it also says what a run would do, as far as that is
   * soon seen. @throws BakeError with all findings in `diagnostics`
   */
  synth(options: SynthOptions & { readonly foresee?: boolean }): Promise<Synthesis>;
  /** Type-checks the user's file with the user's own TypeScript. */
  check(options: SynthOptions): Promise<readonly Diagnostic[]>;
  run(options: RunOptions): Promise<RunReport>;
  /** What a run would do, and why. Carries nothing out. */
  forecast(options: ForecastOptions): Promise<readonly BuildForecast[]>;
  /** Carries a round out at once, and again whenever what the app is made of changes, until the signal is aborted. */
  watch(options: WatchOptions): Promise<void>;
  /** Lets somebody work in a state of a machine that a checkpoint holds, in a copy which is then thrown away, or in what a run kept. */
  shell(options: ShellOptions): Promise<ShellReport>;
  /** Removes what dead runs left behind. */
  clean(options: CleanOptions): Promise<CleanReport>;
  /** Makes room in the user's store of checkpoints, also while other processes build with it. */
  prune(options: PruneOptions): Promise<PruneReport>;
  /** Retires images of platforms that newer ones stand for. */
  pruneImages(options: PruneImagesOptions): Promise<readonly PrunedImage[]>;
  /** What was built in a project, newest first. */
  images(options: RecordOptions): Promise<readonly BuiltImage[]>;
  /** What the last successful run of each build made. @throws BakeError `NeverBuilt` */
  outputs(options: RecordOptions): Promise<readonly BuildOutputs[]>;
  doctor(options: { readonly platforms?: readonly string[] }): Promise<readonly PlatformHealth[]>;
  /** What the account of each platform must allow for the plans of an app. @throws BakeError `NoPolicy` */
  policies(options: SynthOptions & { readonly platforms?: readonly string[] }): Promise<readonly PlatformPolicy[]>;
}

export interface SynthOptions {
  /** The user's file, or a folder with `image.ts` or `bake.json` in it. */
  readonly app: string;
  readonly variables: Readonly<Record<string, string>>;
  /** JSON files of variables, in order; `variables` win over them, and they win over `BAKE_VAR_…`. */
  readonly variableFiles: readonly string[];
  /** @default - `bake.out` next to the app */
  readonly outDir?: string;
}

export interface Synthesis {
  readonly plans: readonly Plan[];
  /** Warnings and infos; errors are thrown. */
  readonly diagnostics: readonly Diagnostic[];
  /** Absolute path of `bake.out`. */
  readonly outDir: string;
  /** The folder of the app. */
  readonly project: string;
  /** Of all builds, if that was asked for and something was built here before. */
  readonly forecast?: SynthForecast;
}

/** What a run of all builds would do. */
export interface SynthForecast {
  readonly builds: readonly BuildForecast[];
  /** Builds of which nothing can be said, and why. */
  readonly unknown: readonly { readonly builds: readonly string[]; readonly reason: string }[];
}

export interface RunOptions extends SynthOptions {
  /** Globs on image and build paths: `Web`, `Web/Docker`. @default - all */
  readonly selectors: readonly string[];
  /** Globs on build paths or source ids. */
  readonly only: readonly string[];
  readonly except: readonly string[];
  /** The run whose builds are to be built, or the last one that failed; `selectors`, `only` and `except` are empty then. @default - a new selection */
  readonly resume?: true | string;
  readonly onError: 'cleanup' | 'keep' | 'ask';
  /** Builds at once. @default - all */
  readonly parallel?: number;
  readonly force: boolean;
  /** Globs on images, builds, sources and constructs of which nothing that earlier runs left is used; `true` for all. @default - what is there is used */
  readonly noCache?: true | readonly string[];
  /** After which steps a machine is saved for later runs: each, where that saves more time than it takes, or none. @default 'auto' */
  readonly checkpoints?: 'all' | 'auto' | 'none';
  /** A lookup that `bake.lock.json` does not pin fails, and the file is not written. @default false */
  readonly frozen?: boolean;
  /** Globs on what `bake.lock.json` pins that is looked up anew, such as `debian:*` or `docker`; `true` for all. @default - what is pinned stays so */
  readonly update?: true | readonly string[];
  readonly host: IoHost;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
}

/** What a forecast takes of the options of a run. */
export type ForecastOptions = SynthOptions & Pick<RunOptions, 'selectors' | 'only' | 'except' | 'resume' | 'force' | 'noCache' | 'signal'>;

export interface RunReport {
  readonly run: string;
  readonly status: 'succeeded' | 'failed' | 'cancelled';
  readonly builds: readonly BuildSummary[];
  readonly leftovers: readonly Leftover[];
}

export interface WatchOptions extends Pick<SynthOptions, 'app' | 'outDir'> {
  /** What is to be done, with this toolkit; its signal is aborted when something changes. It tells of its failures itself. */
  readonly round: (toolkit: Pick<Toolkit, 'forecast' | 'run'>, signal: AbortSignal) => Promise<void>;
  /** Paths, relative to the project. */
  readonly onChange: (paths: readonly string[]) => void;
  /** Called when a round is over, with how many files and folders are watched. */
  readonly onWait: (count: number) => void;
  readonly signal: AbortSignal;
}

export interface ShellOptions extends SynthOptions {
  /** Path of a provisioner or a source, or the id of a run that kept something. */
  readonly target: string;
  /** Which build's machine, if the run kept several. */
  readonly build?: string;
  readonly session: Session;
  /** Called when the machine is there, with what it is. */
  readonly onEnter: (place: string) => void;
  readonly host: IoHost;
  readonly signal: AbortSignal;
}

export interface ShellReport {
  /** The run that it was, of which `leftovers` are. */
  readonly run: string;
  readonly status: RunReport['status'];
  /** Why nobody could be let in. */
  readonly error?: ErrorReport;
  /** What the shell ended with; null if the connection was lost. */
  readonly code: number | null;
  readonly leftovers: readonly Leftover[];
}

export interface CleanOptions {
  /** The project's folder: where `.bake/runs` is. */
  readonly project: string;
  /** @default - every run that is not closed and whose process is gone */
  readonly run?: string;
  /** Also looks for stamps of ours. */
  readonly scan: boolean;
  /** Where it looks. @default - on every platform */
  readonly platforms?: readonly string[];
  /** Of platforms that have regions; `all` stands for each. @default - the one that the environment names */
  readonly regions?: readonly string[];
  /** What runs of other computers made is removed if they began longer ago, in milliseconds. @default 24 hours */
  readonly olderThan?: number;
  readonly dryRun: boolean;
  readonly host: IoHost;
  readonly signal: AbortSignal;
}

export interface CleanReport {
  readonly removed: readonly Leftover[];
  /** What could not be removed, and why. */
  readonly left: readonly Leftover[];
  /** What was not touched because its run may be alive on another computer. */
  readonly spared: readonly Leftover[];
}

export interface PruneImagesOptions extends Omit<ImagePruning, 'projectName'> {
  readonly project: string;
  readonly platforms: readonly string[];
  /** `all` stands for each. @default - the one that the environment names */
  readonly regions?: readonly string[];
  readonly signal: AbortSignal;
}

export interface PlatformPolicy {
  readonly platform: string;
  /** As the platform takes it. */
  readonly policy: JsonObject;
  /** Roles that are taken on: the policy is theirs, and whoever takes them on must be allowed to. */
  readonly roles: readonly string[];
}

export interface PlatformHealth {
  readonly platform: string;
  readonly checks: readonly DoctorCheck[];
}

export interface PruneOptions {
  /** The project's folder, whose outcomes are looked at. */
  readonly project: string;
  /** Bytes that the checkpoints of all projects may take. @default - the limit of the store, if `olderThan` is not given; else any */
  readonly keepStorage?: number;
  /** What was last used longer ago goes; milliseconds. @default - age does not matter */
  readonly olderThan?: number;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

export interface PruneReport {
  /** Checkpoints, with the bytes that each really took. */
  readonly removed: readonly PrunedCheckpoint[];
  /** What the project's builds knew to be up to date. */
  readonly outcomes: readonly { readonly build: string; readonly step: string; readonly at: number }[];
  /** What dead processes left: paths, and titles of what was elsewhere. */
  readonly rests: readonly string[];
  readonly left: { readonly count: number; readonly bytes: number; /** How many of them runs use. */ readonly used: number };
  /** Bytes that were to be kept. */
  readonly limit?: number;
  /** What could not be removed, and why. */
  readonly problems: readonly { readonly title: string; readonly reason: string }[];
}

export interface RecordOptions {
  /** The project's folder: where `.bake` is. */
  readonly project: string;
  /** Globs on images and builds. Empty for all. */
  readonly selectors: readonly string[];
}

/** One artifact that a build made. */
export interface BuiltImage {
  readonly image: string;
  readonly build: string;
  readonly platform: string;
  readonly step: string;
  /** Whether it is what the source made itself, not what a post-processor made of that. */
  readonly isMain: boolean;
  readonly type: string;
  readonly id: string;
  readonly title: string;
  readonly digest?: string;
  /** Bytes, where that is known. */
  readonly size?: number;
  readonly files: readonly ArtifactFile[];
  readonly parents: readonly { readonly build?: string | undefined; readonly id: string; readonly digest?: string | undefined }[];
  readonly fingerprint?: string | undefined;
  /** When it was made; milliseconds since the epoch. */
  readonly at: number;
  /** What its build took. */
  readonly milliseconds: number;
  readonly run: string;
  /** What the project was at when it was built; `isDirty` if files had changed since. */
  readonly commit?: { readonly id: string; readonly isDirty: boolean } | undefined;
  /** Whether it is what the build's last run made or found. */
  readonly isLatest: boolean;
  /** Whether it is still there as it was made; absent if nobody can tell. */
  readonly holds?: boolean;
}

/** What the last successful run of a build made. */
export interface BuildOutputs {
  readonly build: string;
  readonly run: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** What the source made comes first. */
  readonly artifacts: readonly (Pick<BuiltImage, 'isMain' | 'type' | 'id' | 'title' | 'digest' | 'size' | 'files' | 'fingerprint'> & {
    /** Of its step, in the build. */
    readonly name: string;
    /** Of the project's git work tree. */
    readonly commit?: string;
    /** Of what has an id in each region: that in the build's own, or in the first that keeps it. */
    readonly imageId?: string;
    /** Of what is in several places under several ids: its id in each region. */
    readonly regions?: Readonly<Record<string, string>>;
  })[];
}
