import t from 'tap';
import { baseImage } from '../platforms/docker/base-image.js';
import { startBake } from '../support/bake-cli.js';
import { leftovers } from '../support/leftovers.js';
import { need } from '../support/need.js';

const source = (image: string, script = "'sleep 1000'") => `import { App, Image, Shell } from 'bake-sdk';
import { DockerSource } from 'bake-sdk/docker';
const image = new Image(new App(), 'Web');
new DockerSource(image, 'Docker', { image: '${image}' });
new Shell(image, 'Long', { inline: ['echo sleeping', ${script}] });
`;

t.test('Ctrl-C in a long Shell step kills the command, removes all and exits with 130', async (t) => {
  if (!(await need(t, 'docker'))) return;
  const project = t.testdir({ 'image.ts': source(await baseImage()) });
  const running = startBake(project, ['run']);
  await running.saw(/sleeping/);
  const at = Date.now();
  running.child.kill('SIGINT');
  const { code, stderr } = await running.done;
  t.comment(`all was clean ${Date.now() - at} ms after Ctrl-C`);
  t.equal(code, 130, stderr);
  t.same(leftovers(project), []);
});

t.test('a second Ctrl-C leaves at once and says what to call', async (t) => {
  if (!(await need(t, 'docker'))) return;
  // It does not listen to TERM, so that cleaning takes a while.
  const project = t.testdir({ 'image.ts': source(await baseImage(), `'trap "" TERM', 'while true; do sleep 1; done'`) });
  const running = startBake(project, ['run']);
  await running.saw(/sleeping/);
  // An impatient user: signals that come within a moment of the first are taken for the same key press.
  const impatience = setInterval(() => running.child.kill('SIGINT'), 30);
  const { code, stderr } = await running.done.finally(() => clearInterval(impatience));
  t.equal(code, 130);
  const call = /bake clean (\S+)/.exec(stderr);
  t.ok(call, stderr);
  const cleaned = await startBake(project, ['clean', call?.[1] ?? '']).done;
  t.equal(cleaned.code, 0, cleaned.stderr);
  t.same(leftovers(project), []);
});
