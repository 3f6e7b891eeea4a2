import type { Duration } from '../../core/duration.js';
import { Asset } from '../../image/asset.js';
import type { CompiledStep, ProvisionerScope } from '../../image/compile.js';
import { Provisioner, type ProvisionerProps } from '../../image/provisioner.js';
import type { TextInput } from '../../image/ref.js';
import { checkDuration } from '../check-duration.js';
import { checkEnvironment, checkScriptChoice, scriptSummary } from '../check-script-props.js';
import { fillTemplate } from '../command-template.js';
import { shellScriptStep } from './steps.js';

/** A script on the machine being built; exactly one of `inline`, `script`, `scripts`. */
export interface ShellProps extends ProvisionerProps {
  /** Lines that make one script. @default - one of the other forms */
  readonly inline?: readonly TextInput[];
  /** Path of a script, relative to the folder of `image.ts`. @default - one of the other forms */
  readonly script?: string;
  /** Paths of scripts that run one after the other. @default - one of the other forms */
  readonly scripts?: readonly string[];
  /** More environment variables; the place for secrets. @default - only BAKE_BUILD, BAKE_BUILD_NAME, BAKE_PLATFORM, BAKE_RUN_ID, PACKER_BUILD_NAME, PACKER_BUILDER_TYPE */
  readonly environment?: Readonly<Record<string, TextInput>>;
  /**
   * The shell command that runs a script. `{{.Path}}` is the script. The variables are in the command's environment; for
   * what drops them, such as sudo, `{{.Vars}}` is a program that sets them and runs what follows it
   * (`sudo {{.Vars}} {{.Path}}`, `sudo -E sh -c '{{.Vars}} {{.Path}}'`, `echo … | sudo -S {{.Vars}} {{.Path}}`), and
   * `{{.EnvVarFile}}` a file to read with `.`. No value stands in the command itself. The files belong to the user who
   * logs in and can be read by that user and root only: for another user, open them first
   * (`chmod 755 {{.Path}}; sudo -u app {{.Path}}`).
   * @default - the interpreter of the script's `#!` line
   */
  readonly executeCommand?: TextInput;
  /** Interpreter of `inline`, without `#!`; a first line that starts with `#!` wins. @default '/bin/sh -e' */
  readonly inlineShebang?: string;
  /** Takes the script as it is: line ends of Windows stay. @default false */
  readonly binary?: boolean;
  /** Where the script is put on the machine: an absolute path of plain characters; what is there is replaced. @default - a new name in `remoteFolder` */
  readonly remotePath?: string;
  /** Folder for the script on the machine; must exist. @default '/tmp' */
  readonly remoteFolder?: string;
  /** Leaves the script and the files beside it on the machine. @default false */
  readonly skipClean?: boolean;
  /** Exit codes that are no failure. @default [0] */
  readonly validExitCodes?: readonly number[];
  /**
   * Whether the script may take the connection down, as a reboot does; being killed by the machine's shutdown counts too.
   * Let such a script end in a long `sleep`, so that the next step does not start on a machine that is going down.
   * @default false
   */
  readonly expectDisconnect?: boolean;
  /**
   * How long a lost connection is tried again before the script has started; never once it has.
   * @default Duration.minutes(5)
   */
  readonly startRetryTimeout?: Duration;
  /** Waits after the last script. @default - goes on at once */
  readonly pauseAfter?: Duration;
}

type OwnProps = Required<Omit<ShellProps, keyof ProvisionerProps>>;

/**
 * Runs a script on the machine being built. It travels, with its variables, in one channel to a file of mode 0700, and the
 * file is removed when it ends. Its output comes line by line while it runs.
 * @example
 * new Shell(this, 'Nginx', { inline: ['apt-get update', 'apt-get install -y nginx-light'] });
 */
export class Shell extends Provisioner<ShellProps> {
  readonly propNames: Readonly<Record<keyof OwnProps, true>> = {
    inline: true, script: true, scripts: true, environment: true, executeCommand: true, inlineShebang: true, binary: true, remotePath: true, remoteFolder: true,
    skipClean: true, validExitCodes: true, expectDisconnect: true, startRetryTimeout: true, pauseAfter: true,
  };

  /** @throws BakeError `ScriptChoice`, `InvalidVariableName`, `InvalidProp`, `UnknownTemplateName` */
  compile(props: ShellProps, { connection }: ProvisionerScope): CompiledStep {
    const { inline, script, scripts, environment, executeCommand, inlineShebang, binary, remotePath, remoteFolder, skipClean, validExitCodes, expectDisconnect, startRetryTimeout, pauseAfter } = props;
    checkScriptChoice('Shell', props, ['inline', 'script', 'scripts']);
    checkEnvironment(environment);
    for (const [name, value] of Object.entries({ startRetryTimeout, pauseAfter })) if (value !== undefined) checkDuration(name, value);
    if (typeof executeCommand === 'string') fillTemplate(executeCommand, { Path: '', Vars: '', EnvVarFile: '' });
    return {
      kind: shellScriptStep, title: `shell: ${scriptSummary({ inline, script, scripts })}`,
      spec: {
        connection, inline,
        script: script === undefined ? undefined : Asset.fromPath(script, 'file'),
        scripts: scripts?.map((path) => Asset.fromPath(path, 'file')),
        environment, executeCommand, inlineShebang, binary, remotePath, remoteFolder, skipClean, validExitCodes, expectDisconnect, startRetryTimeout, pauseAfter,
      },
    };
  }
}
