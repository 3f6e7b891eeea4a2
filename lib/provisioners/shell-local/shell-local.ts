import type { CompiledStep } from '../../image/compile.js';
import { Provisioner, type ProvisionerProps } from '../../image/provisioner.js';
import { type LocalScriptProps, localScriptPropNames, localScriptSpec, localScriptSummary } from './local-script-props.js';
import { localScriptStep } from './steps.js';

export interface ShellLocalProps extends ProvisionerProps, LocalScriptProps {}

/**
 * Runs a script on the machine that runs `bake`, in its turn among the provisioners.
 * @example
 * new ShellLocal(this, 'Compile', { command: 'make dist', workingDirectory: './app' });
 */
export class ShellLocal extends Provisioner<ShellLocalProps> {
  readonly propNames = localScriptPropNames;

  compile(props: ShellLocalProps): CompiledStep {
    return { kind: localScriptStep, title: `shell-local: ${localScriptSummary(props)}`, spec: localScriptSpec('ShellLocal', props) };
  }
}
