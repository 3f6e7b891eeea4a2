// kill -9 at ten moments of a Docker and of a rootfs build; after `bake clean` nothing of the run is there.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { baseImage } from '../platforms/docker/base-image.js';
import { bake, startBake } from '../support/bake-cli.js';
import { baseTarball } from '../support/base-tarball.js';
import { leftovers } from '../support/leftovers.js';
import { need } from '../support/need.js';

const moments = 10;
/** How often these come depends on how busy this computer is. */
const isTimely = /"type":"step\.progress"/;

/** Kills the run when a line has come, for lines spread over the whole output. */
async function killAtMoments(t: Test, project: string, env: NodeJS.ProcessEnv = {}): Promise<void> {
  const whole = await bake(project, ['run', '--force', '--no-cache', '--checkpoints', 'all', '--json'], env);
  t.equal(whole.code, 0, whole.stderr);
  const lines = whole.stdout.trim().split('\n').filter((line) => !isTimely.test(line)).length;
  for (let moment = 0; moment < moments; moment++) {
    const line = 1 + Math.floor((moment * (lines - 1)) / moments);
    const running = startBake(project, ['run', '--force', '--no-cache', '--checkpoints', 'all', '--json'], env);
    await running.saw(new RegExp(`^(?:(?:.*${isTimely.source}.*\\n)*(?!.*${isTimely.source}).*\\n){${line}}`));
    running.child.kill('SIGKILL');
    const { signal } = await running.done;
    const cleaned = await bake(project, ['clean'], env);
    t.equal(cleaned.code, 0, `killed after line ${line} of ${lines} (${signal}): ${cleaned.stdout}${cleaned.stderr}`);
    t.same(leftovers(project), [], `nothing is left after line ${line}`);
  }
}

t.test('a Docker build', async (t) => {
  if (!(await need(t, 'docker'))) return;
  const image = await baseImage();
  const project = t.testdir({
    'image.ts': `import { App, Image, Shell, File } from 'bake-sdk';
import { DockerSource, DockerTag, DockerSave } from 'bake-sdk/docker';
const image = new Image(new App(), 'Web');
new DockerSource(image, 'Docker', { image: '${image}' });
new Shell(image, 'One', { inline: ['for i in 1 2 3 4 5 6; do echo line $i; done', 'sleep 0.3'] });
new File(image, 'Blob', { source: './blob', destination: '/tmp/blob' });
new Shell(image, 'Two', { inline: ['echo two', 'sleep 0.2'] });
new DockerSave(image, 'Save', { path: 'web.tar' });
`,
  });
  writeFileSync(join(project, 'blob'), Buffer.alloc(20 * 1024 * 1024, 'x'));
  await killAtMoments(t, project);
});

t.test('a rootfs build, from a tarball', async (t) => {
  if (!(await need(t, 'namespaces'))) return;
  const tarball = await baseTarball();
  const project = t.testdir({
    'image.ts': `import { App, Image, Shell } from 'bake-sdk';
import { BootstrapSource } from 'bake-sdk/rootfs';
const image = new Image(new App(), 'Base');
new BootstrapSource(image, 'Rootfs', { tarball: '${tarball}' });
new Shell(image, 'One', { inline: ['for i in 1 2 3 4 5 6; do echo line $i; done', 'sleep 300 >/dev/null 2>&1 &', 'sleep 0.3'] });
new Shell(image, 'Two', { inline: ['echo two'] });
`,
  });
  await killAtMoments(t, project);
});

t.test('a rootfs build, while mmdebstrap works', async (t) => {
  if (!(await need(t, 'mmdebstrap'))) return;
  const project = t.testdir({ 'image.ts': `import { App, Image } from 'bake-sdk';\nimport { BootstrapSource } from 'bake-sdk/rootfs';\nnew BootstrapSource(new Image(new App(), 'Base'), 'Rootfs', { suite: 'bookworm', variant: 'essential' });\n` });
  mkdirSync(project, { recursive: true });
  for (const line of [3, 6, 12]) {
    const running = startBake(project, ['run', '--json']);
    await running.saw(new RegExp(`^(?:.*\\n){${line}}`));
    running.child.kill('SIGKILL');
    await running.done;
    const cleaned = await bake(project, ['clean']);
    t.equal(cleaned.code, 0, cleaned.stderr);
    t.same(leftovers(project), [], `nothing is left after line ${line}`);
  }
});

