// The store of checkpoints is kept small beside a build that uses it, in two processes; what was built is told from the record.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { baseImage } from '../platforms/docker/base-image.js';
import { bake, startBake } from '../support/bake-cli.js';
import { need } from '../support/need.js';

const docker = (...args: readonly string[]) => execFileSync('docker', args, { encoding: 'utf8' }).trim();
const app = async (last: string) => `import { App, Image, Shell } from 'bake-sdk';
import { DockerSource } from 'bake-sdk/docker';
const image = new Image(new App(), 'Web');
new DockerSource(image, 'Docker', { image: '${await baseImage()}', tags: ['bake-test-prune:1'] });
new Shell(image, 'One', { inline: ['echo one > /one'] });
new Shell(image, 'Two', { inline: [${JSON.stringify(last)}] });
`;
const waiting = 'echo it waits; until [ -e /go ]; do sleep 0.1; done; cat /one > /two';

interface Pruned {
  readonly removed: readonly { readonly step: string }[];
  readonly left: { readonly count: number; readonly used: number };
  readonly rests: readonly string[];
}
async function prune(project: string, ...more: readonly string[]): Promise<Pruned> {
  const { stdout } = await bake(project, ['prune', '--keep-storage', '0', '--json', ...more]);
  return JSON.parse(stdout) as Pruned;
}

/** Of the store: names in its folder, and the keys in it of which the daemon has an image. */
function stored(project: string, keys: ReadonlySet<string>): { readonly names: readonly string[]; readonly images: readonly string[] } {
  const tags = docker('images', 'bake-checkpoint', '--format', '{{.Tag}}').split('\n');
  return { names: readdirSync(join(project, '.bake/cache/checkpoints')).filter((name) => /^[0-9a-f]{64}/.test(name)), images: tags.filter((tag) => keys.has(tag)) };
}

function begunKeys(project: string): ReadonlySet<string> {
  const runs = join(project, '.bake/runs');
  const lines = readdirSync(runs).flatMap((run) => readFileSync(join(runs, run, 'journal.jsonl'), 'utf8').trim().split('\n'));
  return new Set(lines.map((line) => JSON.parse(line) as { readonly type: string; readonly key?: string }).flatMap(({ type, key }) => (type === 'checkpoint.begun' ? [key!] : [])));
}

async function begin(t: Test): Promise<string> {
  const project = t.testdir({ 'image.ts': await app('echo two > /two') });
  t.teardown(() => { execFileSync('sh', ['-c', 'docker rmi -f bake-test-prune:1 >/dev/null 2>&1 || true']); });
  t.equal((await bake(project, ['run', '--checkpoints', 'all'])).code, 0);
  writeFileSync(join(project, 'image.ts'), await app(waiting));
  return project;
}
const containerOf = (project: string) => {
  const [run] = readdirSync(join(project, '.bake/runs')).sort().slice(-1);
  return docker('ps', '-q', '--filter', `label=dev.bake.run=${run}`);
};

t.test('a build that goes on from a checkpoint keeps it while another process prunes', { timeout: 120_000 }, async (t) => {
  if (!(await need(t, 'docker'))) return;
  const project = await begin(t);
  const build = startBake(project, ['run', '--json', '--checkpoints', 'all']);
  await build.saw(/"line":"it waits"/);
  const first = await prune(project);
  t.same(first.removed.map(({ step }) => step), ['Web/Docker:Two'], 'what nobody uses goes');
  t.match(first.left, { count: 2, used: 2 }, 'what the build stands on stays');
  docker('exec', containerOf(project), 'touch', '/go');
  t.equal((await build.done).code, 0);
  t.equal(docker('run', '--rm', 'bake-test-prune:1', 'cat', '/two'), 'one');

  t.equal((await prune(project, '--dry-run')).removed.length, 3);
  const last = await prune(project);
  t.same(last.removed.map(({ step }) => step), ['Web/Docker:Two', 'Web/Docker:One', 'Web/Docker/Container'], 'what stands on others goes before them');
  t.same(stored(project, begunKeys(project)), { names: [], images: [] });
});

t.test('after kill -9 what the run used stays until it is cleaned up', { timeout: 120_000 }, async (t) => {
  if (!(await need(t, 'docker'))) return;
  const project = await begin(t);
  const build = startBake(project, ['run', '--json']);
  await build.saw(/"line":"it waits"/);
  build.child.kill('SIGKILL');
  await build.done;
  t.equal((await prune(project)).left.used, 2);
  t.equal((await bake(project, ['clean'])).code, 0);
  t.equal((await prune(project)).left.count, 0);
  t.same(stored(project, begunKeys(project)), { names: [], images: [] });
});

t.test('an image whose checkpoint is gone goes too', { timeout: 120_000 }, async (t) => {
  if (!(await need(t, 'docker'))) return;
  const project = await begin(t);
  const keys = begunKeys(project);
  t.equal(stored(project, keys).images.length, 3);
  rmSync(join(project, '.bake/cache/checkpoints'), { recursive: true });
  const other = await bake(project, ['prune'], { BAKE_CACHE_DIR: join(project, 'other') });
  t.equal(other.code, 0);
  t.equal(docker('images', 'bake-checkpoint', '--format', '{{.Tag}}').split('\n').filter((tag) => keys.has(tag)).length, 3, 'another store has nothing to do with it');
  t.equal((await prune(project)).rests.length, 3);
  t.equal(docker('images', 'bake-checkpoint', '--format', '{{.Tag}}').split('\n').filter((tag) => keys.has(tag)).length, 0);
});

t.test('a run that saves checkpoints keeps the store within BAKE_CACHE_SIZE', { timeout: 120_000 }, async (t) => {
  if (!(await need(t, 'docker'))) return;
  const project = await begin(t);
  writeFileSync(join(project, 'image.ts'), await app('echo three > /two'));
  t.equal((await bake(project, ['run', '--checkpoints', 'all'], { BAKE_CACHE_SIZE: '1KB' })).code, 0);
  t.same((await prune(project, '--dry-run')).removed.map(({ step }) => step), ['Web/Docker:Two', 'Web/Docker:One', 'Web/Docker/Container'], 'its own is there, with what that stands on');
  t.match(await bake(project, ['run'], { BAKE_CACHE_SIZE: 'much' }), { code: 2, stderr: /BAKE_CACHE_SIZE: "much" is not a size/ });
});

t.test('what was built is told, and handed on', { timeout: 120_000 }, async (t) => {
  if (!(await need(t, 'docker'))) return;
  const project = t.testdir({ 'image.ts': await app('echo two > /two') });
  t.match(await bake(project, ['outputs']), { code: 2, stderr: /nothing was built in this project yet/ });
  t.equal((await bake(project, ['images'])).stdout, 'nothing was built in this project yet\n');
  const git = (...args: readonly string[]) => execFileSync('git', ['-C', project, '-c', 'user.name=x', '-c', 'user.email=x@x', ...args], { encoding: 'utf8' }).trim();
  git('init', '-q');
  git('add', 'image.ts');
  git('commit', '-qm', 'one');
  t.equal((await bake(project, ['run'])).code, 0);
  const id = docker('images', '--no-trunc', '-q', 'bake-test-prune:1');
  const listed = async () => (JSON.parse((await bake(project, ['images', '--json'])).stdout) as { readonly images: readonly Record<string, unknown>[] }).images;
  t.match(await listed(), [{ build: 'Web/Docker', id, holds: true, isLatest: true, commit: { id: git('rev-parse', 'HEAD'), isDirty: false }, parents: [{ id: await baseImage() }] }]);
  t.match((await bake(project, ['outputs', '--format', 'env'])).stdout, `BAKE_WEB_DOCKER_ID=${id}\n`);
  t.match((await bake(project, ['outputs', 'Web', '--format', 'tfvars'])).stdout, `web_docker_id = "${id}"\n`);
  t.match(await bake(project, ['outputs', 'Web/Doker']), { code: 2, stderr: /"Web\/Doker" was never built[^]*did you mean "Web\/Docker"/ });

  writeFileSync(join(project, 'image.ts'), await app('echo three > /two'));
  t.equal((await bake(project, ['run'])).code, 0);
  t.match(await listed(), [{ isLatest: true, commit: { isDirty: true } }, { id, isLatest: false, holds: false }], 'the newest first; the tag is taken from the older one');
  docker('rmi', '-f', 'bake-test-prune:1');
  t.match((await listed())[0], { holds: false });
});
