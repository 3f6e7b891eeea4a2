// `bake synth` says what a run would do: of what was built here, without starting anything, and without a daemon too.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { baseImage } from '../platforms/docker/base-image.js';
import { bake } from '../support/bake-cli.js';
import { need } from '../support/need.js';

const app = (image: string) => `import { App, Image, Shell } from 'bake-sdk';
import { DockerSource } from 'bake-sdk/docker';
const image = new Image(new App(), 'Web');
new DockerSource(image, 'Docker', { image: '${image}', tags: ['bake-test-marks:1'] });
new Shell(image, 'One', { inline: ['echo one > /one'] });
new Shell(image, 'Two', { inline: ['echo two > /two'] });
`;

t.test('before anything was built, and where there is no daemon, synth says so in one line', async (t) => {
  const project = t.testdir({ 'image.ts': app('debian:12') });
  const env = { DOCKER_HOST: `unix://${join(project, 'none')}` };
  const first = await bake(project, ['synth'], env);
  t.equal(first.code, 0, first.stderr);
  t.match(first.stderr, /^written/);
  t.notMatch(first.stdout, /runs|cached/);
  t.match(JSON.parse((await bake(project, ['synth', '--json'], env)).stdout), { forecast: undefined });
});

t.test('Docker: each step is told with what a run would do', { timeout: 60_000 }, async (t) => {
  if (!(await need(t, 'docker'))) return;
  const project = t.testdir({ 'image.ts': app(await baseImage()) });
  t.teardown(() => { execFileSync('sh', ['-c', 'docker rmi bake-test-marks:1 || true'], { stdio: 'ignore' }); });
  t.equal((await bake(project, ['run', '--checkpoints', 'all'])).code, 0);
  t.match((await bake(project, ['synth'])).stdout, /Docker {2}up to date/);

  writeFileSync(join(project, 'image.ts'), readFileSync(join(project, 'image.ts'), 'utf8').replace('echo two', 'echo 2'));
  const { stdout } = await bake(project, ['synth']);
  t.match(stdout, /Docker {2}about \d/);
  t.match(stdout, /container .*brought back from a checkpoint[\s\S]*cached[\s\S]*runs: inline\S* was "echo two > \/two", is "echo 2 > \/two" \(.* last time\)[\s\S]*runs: follows Two/);
  t.match(stdout, /about \S+ of work\n$/);
  const { forecast } = JSON.parse((await bake(project, ['synth', '--json'])).stdout) as { readonly forecast: { readonly builds: readonly { readonly steps: readonly { readonly will: string }[] }[] } };
  t.same(forecast.builds[0]!.steps.map(({ will }) => will), ['restored', 'cached', 'run', 'run']);
  t.equal(readdirSync(join(project, '.bake/runs')).length, 1, 'no run was begun');

  const away = await bake(project, ['synth'], { DOCKER_HOST: `unix://${join(project, 'none')}` });
  t.equal(away.code, 0, away.stderr);
  t.match(away.stderr, /^what is cached cannot be told: the Docker daemon does not answer[^\n]*\nwritten/);
  t.notMatch(away.stdout, /runs|cached/);
});
