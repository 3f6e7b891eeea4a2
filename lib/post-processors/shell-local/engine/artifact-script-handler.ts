import type { Artifact } from '../../../core/artifact.js';
import type { ActionHandler, StepContext } from '../../../engine/handler.js';
import { runLocalScript } from '../../../provisioners/shell-local/engine/run-local-script.js';
import type { ArtifactScriptSpec } from '../steps.js';

/** What Linux takes in one variable (MAX_ARG_STRLEN), and some room for its name. */
const longestVariable = 128 * 1024 - 64;

/** Runs a local script that is told of the artifact. */
export const artifactScriptHandler: ActionHandler<ArtifactScriptSpec, { readonly artifact: Artifact }> = {
  async run({ artifact, ...script }, ctx) {
    await runLocalScript(script, ctx, artifactEnvironment(artifact, ctx));
    return { artifact };
  },
};

function artifactEnvironment({ id, type, files }: Artifact, ctx: Pick<StepContext, 'warn'>): Readonly<Record<string, string>> {
  const facts = { BAKE_ARTIFACT_ID: id, BAKE_ARTIFACT_TYPE: type };
  const list = files.map(({ path }) => path).join('\n');
  if (Buffer.byteLength(list) <= longestVariable) return { ...facts, BAKE_ARTIFACT_FILES: list };
  ctx.warn({ code: 'TooManyFiles', message: `the names of ${files.length} files do not fit into a variable: BAKE_ARTIFACT_FILES is not set`, hint: 'make an archive of them first' });
  return facts;
}
