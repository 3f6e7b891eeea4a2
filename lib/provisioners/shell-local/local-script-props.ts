import { Asset } from '../../image/asset.js';
import type { SpecInput } from '../../image/compile.js';
import type { TextInput } from '../../image/ref.js';
import { BakeError } from '../../core/bake-error.js';
import { checkEnvironment, checkScriptChoice, scriptSummary } from '../check-script-props.js';
import { fillTemplate } from '../command-template.js';
import type { LocalScriptSpec } from './local-script-fields.js';

/** A script on the machine that runs `bake`; exactly one of `command`, `inline`, `script`, `scripts`. */
export interface LocalScriptProps {
  /** One command line. @default - one of the other forms */
  readonly command?: TextInput;
  /** Lines that make one script. @default - one of the other forms */
  readonly inline?: readonly TextInput[];
  /** Path of a script, relative to the folder of `image.ts`; a copy of it is run. @default - one of the other forms */
  readonly script?: string;
  /** Paths of scripts that run one after the other. @default - one of the other forms */
  readonly scripts?: readonly string[];
  /** More environment variables; the place for secrets. @default - `bake`'s own, BAKE_BUILD_NAME and its like */
  readonly environment?: Readonly<Record<string, TextInput>>;
  /**
   * Program and arguments that run a script: `{{.Script}}` is the path of the script. `{{.Vars}}` is empty, because the
   * variables are in the environment already; it is there for commands written for Packer.
   * @default - the interpreter of the script's `#!` line; `cmd /d /c call` on Windows
   */
  readonly executeCommand?: readonly string[];
  /** Interpreter of `command` and `inline`, without `#!`; not used on Windows. @default '/bin/sh -e' */
  readonly inlineShebang?: string;
  /** Does nothing on other systems. @default - runs everywhere */
  readonly onlyOn?: readonly ('linux' | 'darwin' | 'win32')[];
  /** Extension of the temporary file, with its dot. @default - that of the script; `.cmd` for lines on Windows */
  readonly tempfileExtension?: string;
  /** Exit codes that are no failure. @default [0] */
  readonly validExitCodes?: readonly number[];
  /** Where it runs, relative to the folder of `image.ts`. @default - the folder of `image.ts` */
  readonly workingDirectory?: TextInput;
}

/** The names of `LocalScriptProps`, for checking props that no type checker has seen. */
export const localScriptPropNames: Readonly<Record<keyof Required<LocalScriptProps>, true>> = {
  command: true, inline: true, script: true, scripts: true, environment: true, executeCommand: true, inlineShebang: true, onlyOn: true, tempfileExtension: true, validExitCodes: true, workingDirectory: true,
};

/**
 * The spec of a local script.
 * @param owner the construct's class, for messages
 * @throws BakeError `ScriptChoice`, `InvalidVariableName`, `ExecuteCommandWithoutScript`, `UnknownTemplateName`
 */
export function localScriptSpec(owner: string, props: LocalScriptProps): SpecInput<LocalScriptSpec> {
  const { command, inline, script, scripts, environment, executeCommand, inlineShebang, onlyOn, tempfileExtension, validExitCodes, workingDirectory } = props;
  checkScriptChoice(owner, props, ['command', 'inline', 'script', 'scripts']);
  checkEnvironment(environment);
  if (Array.isArray(executeCommand)) checkExecuteCommand(executeCommand);
  return {
    command, inline,
    script: script === undefined ? undefined : Asset.fromPath(script, 'file'),
    scripts: scripts?.map((path) => Asset.fromPath(path, 'file')),
    environment, executeCommand, inlineShebang, onlyOn, tempfileExtension, validExitCodes, workingDirectory,
  };
}

/** `1 command`, `3 lines`, `deploy.sh`: what runs, for a step's title. */
export function localScriptSummary(props: LocalScriptProps): string {
  return scriptSummary(props);
}

function checkExecuteCommand(words: readonly unknown[]): void {
  const texts = words.filter((word) => typeof word === 'string');
  for (const text of texts) fillTemplate(text, { Script: '', Vars: '' });
  if (texts.some((text) => /\{\{\s*\.Script\s*\}\}/.test(text))) return;
  throw new BakeError({ code: 'ExecuteCommandWithoutScript', message: 'executeCommand never names the script', hint: "put '{{.Script}}' where its path belongs, such as ['/bin/bash', '-c', '{{.Script}}']" });
}
