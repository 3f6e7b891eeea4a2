import type { CompiledStep, PostProcessorScope } from '../../image/compile.js';
import { PostProcessor, type PostProcessorProps } from '../../image/post-processor.js';
import { type LocalScriptProps, localScriptPropNames, localScriptSpec, localScriptSummary } from '../../provisioners/shell-local/local-script-props.js';
import { artifactScriptStep } from './steps.js';

export interface ShellLocalPostProcessorProps extends PostProcessorProps, LocalScriptProps {}

/**
 * Runs a script on the machine that runs `bake` when the artifact is there, and hands the artifact on. Beside the
 * variables of `ShellLocal` it gets BAKE_ARTIFACT_ID, BAKE_ARTIFACT_TYPE and BAKE_ARTIFACT_FILES (absolute paths, one a line).
 * @example new ShellLocalPostProcessor(this, 'Sign', { inline: ['gpg --detach-sign "$BAKE_ARTIFACT_FILES"'] });
 */
export class ShellLocalPostProcessor extends PostProcessor<ShellLocalPostProcessorProps> {
  readonly propNames = localScriptPropNames;
  readonly keepsInputByDefault = true;

  compile(props: ShellLocalPostProcessorProps, { artifact }: PostProcessorScope): CompiledStep {
    return { kind: artifactScriptStep, title: `shell-local: ${localScriptSummary(props)}`, spec: { ...localScriptSpec('ShellLocalPostProcessor', props), artifact } };
  }
}
