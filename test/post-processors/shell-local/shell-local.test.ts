import { join } from 'node:path';
import t from 'tap';
import { artifactScriptHandler } from '../../../lib/post-processors/shell-local/engine/artifact-script-handler.js';
import { stepContext } from '../../support/step-context.js';
import { imageArtifact, writeArtifact } from '../file-artifact.js';

t.test('the script is told of the artifact in its environment, and the artifact is handed on', async (t) => {
  const ctx = stepContext(t);
  const artifact = writeArtifact(ctx.run.project, { 'a b.img': 'x', "c'$(id).img": 'y' });
  const output = await artifactScriptHandler.run({ artifact, inline: ['echo "$BAKE_ARTIFACT_TYPE $BAKE_ARTIFACT_ID"', 'echo "$BAKE_ARTIFACT_FILES"', 'echo "$BAKE_BUILD_NAME $MINE"'], environment: { MINE: 'mine' } }, ctx);
  t.same(ctx.lines(), [`files ${artifact.id}`, join(ctx.run.project, 'a b.img'), join(ctx.run.project, "c'$(id).img"), 'Source mine']);
  t.same(output, { artifact });
});

t.test('a script that fails fails the step', async (t) => {
  await t.rejects(artifactScriptHandler.run({ artifact: imageArtifact, inline: ['exit 7'] }, stepContext(t)), { message: /7/ });
});

t.test('more names than fit into a variable are left out with a warning', async (t) => {
  const ctx = stepContext(t);
  const files = Array.from({ length: 5_000 }, (_, index) => ({ path: `/some/folder/with/a/long/name/file-${index}`, size: 1 }));
  await artifactScriptHandler.run({ artifact: { ...imageArtifact, files }, inline: ['echo "[${BAKE_ARTIFACT_FILES-unset}]"'] }, ctx);
  t.same(ctx.lines(), ['[unset]']);
  t.match(ctx.warned, [{ code: 'TooManyFiles', message: /5000/ }]);
});

t.test('an abort ends the script with all that it started', async (t) => {
  const abort = new AbortController();
  const ctx = stepContext(t, { signal: abort.signal });
  const eager = { ...ctx, log: (line: string) => { if (line === 'started') abort.abort(new Error('enough')); } };
  await t.rejects(artifactScriptHandler.run({ artifact: imageArtifact, inline: ['sleep 600 &', 'echo started', 'wait'] }, eager), { message: 'enough' });
});
