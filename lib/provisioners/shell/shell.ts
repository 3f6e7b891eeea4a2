import type { Construct } from 'constructs';
import { BakeError } from '../../core/bake-error.js';
import type { Duration } from '../../core/duration.js';
import { Secret } from '../../core/secret.js';
import { Asset } from '../../image/asset.js';
import type { CompiledStep, ProvisionerScope } from '../../image/compile.js';
import { Provisioner, type ProvisionerProps } from '../../image/provisioner.js';
import { LateText, Ref, type TextInput } from '../../image/ref.js';
import { shellScript } from './steps.js';

/** Exactly one of `inline`, `script` and `scripts` is given. */
export interface ShellProps extends ProvisionerProps {
  /** Lines of one script. @default - none */
  readonly inline?: readonly TextInput[];
  /** Path of a script, relative to the folder of `image.ts`. @default - none */
  readonly script?: string;
  /** Paths of several scripts, run one after the other. @default - none */
  readonly scripts?: readonly string[];
  /** Environment of the scripts, beside `BAKE_BUILD_NAME`, `BAKE_PLATFORM`, `BAKE_RUN_ID`, `PACKER_BUILD_NAME` and `PACKER_BUILDER_TYPE`. @default - nothing more */
  readonly environment?: Readonly<Record<string, TextInput>>;
  /**
   * How a script is started, a command line for the machine's `/bin/sh`: `{{.Path}}` stands for the script,
   * `{{.EnvVarFile}}` for a file that exports the environment, `{{.Vars}}` for `NAME="value"` pairs of the environment
   * without its secrets, which must not stand in an argument list (`sudo -E` and `{{.EnvVarFile}}` pass them on).
   * The environment is exported in any case.
   * @default '{{.Path}}'
   * @example "sudo -E sh -c '{{.Vars}} {{.Path}}'"
   */
  readonly executeCommand?: string;
  /** Exit codes that are no failure. @default [0] */
  readonly validExitCodes?: readonly number[];
  /** The script may end the connection, as a reboot does; the next step connects again. @default false */
  readonly expectDisconnect?: boolean;
  /** How long to try again if the machine cannot be reached before the script has started. @default Duration.minutes(5) */
  readonly startRetryTimeout?: Duration;
  /** Folder on the machine for the script. @default '/tmp' */
  readonly remoteFolder?: string;
  /** The script's whole path on the machine. @default - a random name in `remoteFolder` */
  readonly remotePath?: string;
  /** Leaves the script on the machine. @default false */
  readonly skipClean?: boolean;
  /** First line of an `inline` script, without `#!`; a first line of the script's own that starts with `#!` wins. @default '/bin/sh -e' */
  readonly inlineShebang?: string;
  /** Passes scripts on byte by byte; otherwise Windows line ends become Unix ones. @default false */
  readonly binary?: boolean;
  /** Waits after the scripts, for what they set going. @default - goes on at once */
  readonly pauseAfter?: Duration;
}

/**
 * Runs scripts on the machine. A script reaches it in one channel together with its environment, and its output arrives
 * line by line while it runs.
 * @example new Shell(this, 'Nginx', { inline: ['apt-get update', 'apt-get install -y nginx-light'] });
 */
export class Shell extends Provisioner<ShellProps> {
  readonly propNames = {
    inline: true, script: true, scripts: true, environment: true, executeCommand: true, validExitCodes: true, expectDisconnect: true, startRetryTimeout: true,
    remoteFolder: true, remotePath: true, skipClean: true, inlineShebang: true, binary: true, pauseAfter: true,
  } as const;

  constructor(scope: Construct, id: string, props: ShellProps) {
    super(scope, id, props);
  }

  compile(props: ShellProps, { connection }: ProvisionerScope): CompiledStep {
    const { inline, environment = {} } = props;
    const scripts = props.script === undefined ? props.scripts : [props.script];
    oneOf({ inline, script: props.script, scripts: props.scripts });
    checkNames(environment);
    const secretNames = Object.entries(environment).filter(([, value]) => isSecret(value)).map(([name]) => name);
    const title = inline !== undefined ? `shell: ${inline.length} ${inline.length === 1 ? 'line' : 'lines'}` : `shell: ${(scripts ?? []).join(', ')}`;
    return {
      kind: shellScript, title,
      spec: {
        connection, inline, scripts: scripts?.map((path) => Asset.fromPath(path, 'file')),
        environment: Object.keys(environment).length === 0 ? undefined : environment, secretNames: secretNames.length === 0 ? undefined : secretNames,
        executeCommand: props.executeCommand, validExitCodes: props.validExitCodes, expectDisconnect: props.expectDisconnect, startRetryTimeout: props.startRetryTimeout,
        remoteFolder: props.remoteFolder, remotePath: props.remotePath, skipClean: props.skipClean, inlineShebang: props.inlineShebang, binary: props.binary, pauseAfter: props.pauseAfter,
      },
    };
  }
}

/** @throws BakeError `InvalidProps` unless exactly one of the props is given and not empty */
export function oneOf(choices: Readonly<Record<string, unknown>>): void {
  const names = Object.keys(choices).join(', ');
  const given = Object.entries(choices).filter(([, value]) => value !== undefined);
  if (given.length !== 1) throw new BakeError({ code: 'InvalidProps', message: given.length === 0 ? `none of ${names} is given` : `${given.map(([name]) => name).join(' and ')} are given together`, hint: `give exactly one of ${names}` });
  const [[name, value]] = given as [[string, unknown]];
  if (Array.isArray(value) && value.length === 0) throw new BakeError({ code: 'InvalidProps', message: `"${name}" is empty`, hint: 'give at least one' });
}

/** @throws BakeError `InvalidProps` for what no shell takes as a variable's name */
export function checkNames(environment: Readonly<Record<string, unknown>>): void {
  for (const name of Object.keys(environment)) {
    if (/^[A-Za-z_]\w*$/.test(name)) continue;
    throw new BakeError({ code: 'InvalidProps', message: `"${name}" cannot be the name of an environment variable`, hint: 'use letters, digits and underscores, and no digit first' });
  }
}

/** A ref may lead to a password, so only plain texts are known to be harmless. */
function isSecret(value: TextInput): boolean {
  if (value instanceof LateText) return value.parts.some((part) => part instanceof Secret || part instanceof Ref);
  return value instanceof Secret || value instanceof Ref;
}
