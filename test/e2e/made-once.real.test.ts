// Two processes that need the same checkpoint make it once. What each step leaves in the machine is random, so that it shows who did it.
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { baseImage } from '../platforms/docker/base-image.js';
import { bake, startBake } from '../support/bake-cli.js';
import { leftovers } from '../support/leftovers.js';
import { need } from '../support/need.js';

/** Two projects of the same image, with one cache. */
async function twins(t: Test, seconds: number): Promise<{ readonly projects: readonly [string, string]; readonly env: NodeJS.ProcessEnv }> {
  const text = `import { App, Image, Shell } from 'bake-sdk';
import { DockerSource } from 'bake-sdk/docker';
const image = new Image(new App(), 'Web');
new DockerSource(image, 'Docker', { image: '${await baseImage()}', tags: ['bake-test-once:NAME'] });
for (const name of ['One', 'Two', 'Three']) new Shell(image, name, { inline: [\`sleep ${seconds}; cat /proc/sys/kernel/random/uuid >> /steps\`] });
`;
  const dir = t.testdir({ a: { 'image.ts': text.replace('NAME', 'a') }, b: { 'image.ts': text.replace('NAME', 'b') }, cache: {} });
  t.teardown(() => { for (const name of ['a', 'b']) execFileSync('sh', ['-c', `docker rmi bake-test-once:${name} || true`], { stdio: 'ignore' }); });
  return { projects: [join(dir, 'a'), join(dir, 'b')], env: { BAKE_CACHE_DIR: join(dir, 'cache') } };
}

const stepsIn = (name: string) => execFileSync('docker', ['run', '--rm', `bake-test-once:${name}`, '/bin/cat', '/steps'], { encoding: 'utf8' }).trim().split('\n');
const halves = ({ BAKE_CACHE_DIR: cache }: NodeJS.ProcessEnv) => [...readdirSync(join(cache!, 'checkpoints')).filter((name) => !/^[0-9a-f]{64}$/.test(name)), ...readdirSync(join(cache!, 'makers'))];

t.test('Docker: of two processes the second waits, and each step is carried out once', { timeout: 120_000 }, async (t) => {
  if (!(await need(t, 'docker'))) return;
  const { projects: [a, b], env } = await twins(t, 1);
  const first = startBake(a, ['run', '--checkpoints', 'all'], env); // on a busy computer one after a second of work may not be worth its time
  await first.saw(/shell: 1 line/);
  const second = startBake(b, ['run'], env);
  await second.saw(new RegExp(`waits for Web/Docker of run .* \\(process ${first.child.pid}\\), which does the same up to Three`));
  const [one, two] = await Promise.all([first.done, second.done]);
  t.equal(one.code, 0, one.stderr);
  t.equal(two.code, 0, two.stderr);
  t.match(two.stdout + two.stderr, /goes on after Three/);
  t.equal(stepsIn('a').length, 3);
  t.same(stepsIn('b'), stepsIn('a'), 'what was done in one is in the other');
  t.same([...leftovers(a), ...leftovers(b), ...halves(env)], []);
});

t.test('Docker: when the first is killed, the second goes on at once from where that came to', { timeout: 120_000 }, async (t) => {
  if (!(await need(t, 'docker'))) return;
  const { projects: [a, b], env } = await twins(t, 4);
  const first = startBake(a, ['run', '--checkpoints', 'all'], env);
  await first.saw(/shell: 1 line \d/);
  const waiting = startBake(b, ['run'], env);
  await waiting.saw(/waits for Web\/Docker/);
  first.child.kill('SIGKILL');
  const killedAt = performance.now();
  await waiting.saw(/goes on after (One|Two)/);
  t.comment(`it went on after ${Math.round(performance.now() - killedAt)} ms`);
  const { code, stderr } = await waiting.done;
  t.equal(code, 0, stderr);
  t.equal(stepsIn('b').length, 3);
  t.equal((await bake(a, ['clean'], env)).code, 0);
  await bake(b, ['prune', '--older-than', '1d'], env);
  t.same([...leftovers(a), ...leftovers(b), ...halves(env)], []);
});
