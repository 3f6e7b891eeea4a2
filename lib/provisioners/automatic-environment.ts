import type { StepContext } from '../engine/handler.js';

/**
 * The variables that every script gets: what is being built, by which run. The `PACKER_` ones let scripts written for
 * Packer run as they are.
 */
export function automaticEnvironment({ step, run }: Pick<StepContext, 'step' | 'run'>): Readonly<Record<string, string>> {
  return {
    BAKE_BUILD: step.build,
    BAKE_BUILD_NAME: step.buildName,
    BAKE_PLATFORM: step.platform,
    BAKE_RUN_ID: run.id,
    PACKER_BUILD_NAME: step.buildName,
    PACKER_BUILDER_TYPE: step.platform,
  };
}
