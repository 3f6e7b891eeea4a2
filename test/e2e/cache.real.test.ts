// What earlier runs left is used on the real platforms: nothing is done that need not be, and what comes out is the same.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { baseImage } from '../platforms/docker/base-image.js';
import { guestImage } from '../platforms/qemu/guest-image.js';
import { qemuLeftovers } from '../platforms/qemu/qemu-leftovers.js';
import { bake, startBake } from '../support/bake-cli.js';
import { baseTarball } from '../support/base-tarball.js';
import { leftovers } from '../support/leftovers.js';
import { need } from '../support/need.js';

/** Runs a project; returns the titles of what was carried out and of what was not. */
async function run(t: Test, project: string, more: readonly string[] = []): Promise<{ did: readonly string[]; cached: readonly string[]; upToDate: boolean; code: number | null }> {
  const { code, stdout, stderr } = await bake(project, ['run', '--json', '--checkpoints', 'all', ...more]);
  if (code !== 0 && more.length === 0) t.comment(stderr);
  const events = stdout.trim().split('\n').map((line) => JSON.parse(line) as { readonly type: string; readonly step?: string; readonly upToDate?: boolean });
  const of = (type: string) => events.filter((event) => event.type === type).map(({ step }) => step!.replace(/^[^:/]+\/[^:/]+[:/]/, ''));
  return { did: of('step.started'), cached: of('step.cached'), upToDate: events.some((event) => event.type === 'build.finished' && event.upToDate === true), code };
}

const edit = (project: string, from: string, to: string) => {
  const path = join(project, 'image.ts');
  const text = readFileSync(path, 'utf8');
  if (!text.includes(from)) throw new Error(`there is no ${from}`);
  writeFileSync(path, text.replace(from, to));
};

/** Nothing half is left in the cache, and every image of a checkpoint has its checkpoint. */
function halves(project: string, withDocker = false): readonly string[] {
  const folder = join(project, '.bake/cache/checkpoints');
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const images = withDocker ? execFileSync('docker', ['images', '--format', '{{.Repository}}:{{.Tag}}', 'bake-checkpoint'], { encoding: 'utf8' }).trim().split('\n').map((name) => name.split(':')[1]!) : [];
  const journals = readdirSync(join(project, '.bake/runs')).map((name) => readFileSync(join(project, '.bake/runs', name, 'journal.jsonl'), 'utf8')).join('');
  return [...names.filter((name) => !/^[0-9a-f]{64}$/.test(name)), ...images.filter((key) => journals.includes(key) && !names.includes(key)).map((key) => `image ${key}`)];
}

t.test('rootfs: the tarball is the same to the byte, whatever was taken from the cache', { timeout: 200_000 }, async (t) => {
  if (!(await need(t, 'namespaces'))) return;
  const project = t.testdir({ 'script.sh': 'echo asset > /asset\n', 'image.ts': `import { App, Image, Shell } from 'bake-sdk';
import { BootstrapSource } from 'bake-sdk/rootfs';
const image = new Image(new App(), 'Base');
new BootstrapSource(image, 'Rootfs', { tarball: '${await baseTarball()}', output: { path: 'out.tar' } });
new Shell(image, 'One', { inline: ['rm -rf /usr/share/doc; mkdir -p /srv/a/b; echo one > /srv/a/b/c; ln -s /srv/a /srv/l; ln /srv/a/b/c /srv/hard; chmod 4755 /srv/a/b/c'] });
new Shell(image, 'Two', { script: 'script.sh' });
new Shell(image, 'Three', { inline: ['mv /srv/a /srv/z; rm /srv/hard; chown 12:34 /srv/z/b'] });
new Shell(image, 'Last', { inline: ['echo last > /last'] });
` });
  const bytes = () => execFileSync('sha256sum', [join(project, 'out.tar')], { encoding: 'utf8' }).split(' ')[0];
  t.match((await run(t, project)).did, ['Tree', 'Machine', 'One', 'Two', 'Three', 'Last', 'Seal', 'Tarball']);
  const first = bytes();
  const again = await run(t, project);
  t.match(again, { did: [], upToDate: true });

  edit(project, 'echo last', 'echo other');
  const edited = await run(t, project);
  t.same(edited.cached, ['One', 'Two', 'Three']);
  t.same(edited.did, ['Tree', 'Machine', 'Last', 'Seal', 'Tarball']);
  const other = bytes();
  t.not(other, first);
  t.match((await run(t, project, ['--no-cache'])).cached, []);
  t.equal(bytes(), other, 'as it is without a cache');

  writeFileSync(join(project, 'script.sh'), 'echo changed > /asset\n');
  t.same((await run(t, project)).cached, ['One']);
  t.same([...leftovers(project), ...halves(project)], []);
});

t.test('Docker: a failed build goes on where it ended, and an image that is gone is made again', { timeout: 120_000 }, async (t) => {
  if (!(await need(t, 'docker'))) return;
  const project = t.testdir({ 'image.ts': `import { App, Image, Shell } from 'bake-sdk';
import { DockerSource } from 'bake-sdk/docker';
const image = new Image(new App(), 'Web');
new DockerSource(image, 'Docker', { image: '${await baseImage()}', tags: ['bake-test-cache:1'], workdir: '/opt', changes: ['CMD ["/bin/sh"]'] });
new Shell(image, 'One', { inline: ['echo one > /one; pwd > /where'] });
new Shell(image, 'Two', { inline: ['cat /one > /two; exit 3'] });
` });
  t.teardown(() => { execFileSync('sh', ['-c', 'docker rmi bake-test-cache:1 || true'], { stdio: 'ignore' }); });
  const file = (path: string) => execFileSync('docker', ['run', '--rm', 'bake-test-cache:1', '/bin/cat', path], { encoding: 'utf8' }).trim();
  t.equal((await run(t, project, ['--on-error', 'cleanup'])).code, 1);
  edit(project, '; exit 3', '');
  t.same((await run(t, project)).cached, ['One']);
  t.same([file('/one'), file('/two'), file('/where')], ['one', 'one', '/opt']);
  const config = (what: string) => execFileSync('docker', ['inspect', '-f', `{{json .Config.${what}}}`, 'bake-test-cache:1'], { encoding: 'utf8' });
  const cached = ['Cmd', 'WorkingDir', 'Env', 'User', 'Entrypoint'].map(config);
  t.match(await run(t, project), { did: ['Base'], upToDate: true });
  execFileSync('docker', ['rmi', 'bake-test-cache:1'], { stdio: 'ignore' });
  t.same((await run(t, project)).did, ['Base', 'Container', 'Commit']);
  await run(t, project, ['--no-cache']);
  t.same(['Cmd', 'WorkingDir', 'Env', 'User', 'Entrypoint'].map(config), cached, 'the settings are those of an image that was built in one go');
  t.same([...leftovers(project), ...halves(project, true)], []);
});

t.test('a machine in which something runs is not saved, and what is in its memory comes back', { timeout: 200_000 }, async (t) => {
  if (!(await need(t, 'namespaces')) || !(await need(t, 'docker'))) return;
  const project = t.testdir({ 'image.ts': `import { App, Image, Shell } from 'bake-sdk';
import { DockerSource } from 'bake-sdk/docker';
import { BootstrapSource } from 'bake-sdk/rootfs';
const image = new Image(new App(), 'Web');
new BootstrapSource(image, 'Root', { tarball: '${await baseTarball()}' });
new DockerSource(image, 'Docker', { image: '${await baseImage()}', discard: true });
new Shell(image, 'Memory', { inline: ['mkdir -p /run/app && echo here > /run/app/note'] });
new Shell(image, 'Daemon', { inline: ['cat /run/app/note', 'sleep 300 > /dev/null 2>&1 &'] });
new Shell(image, 'Uses', { inline: ['ls /proc/*/exe > /dev/null; for p in /proc/[0-9]*; do tr "\\\\0" " " < $p/cmdline 2> /dev/null; echo; done | grep -q "^sleep 300"'] });
` });
  t.equal((await run(t, project)).code, 0);
  edit(project, "'mkdir -p /run/app &&", "'mkdir -p /run/app &&"); // nothing: the outcomes alone are asked for
  t.equal((await run(t, project, ['--force'])).code, 0, 'the daemon is started again for who needs it');
  edit(project, "'cat /run/app/note'", "'cat /run/app/note; true'");
  const again = await run(t, project);
  t.equal(again.code, 0, 'what was in memory is there');
  t.same(again.cached, ['Memory', 'Memory']);
  t.same([...leftovers(project), ...halves(project, true)], []);
});

t.test('what is done to something outside of the machine is done in each run', { timeout: 120_000 }, async (t) => {
  if (!(await need(t, 'docker'))) return;
  const project = t.testdir({ 'image.ts': `import { App, File, Image, Manifest, Shell } from 'bake-sdk';
import { DockerSource } from 'bake-sdk/docker';
import { NullSource } from 'bake-sdk/null';
const app = new App();
const image = new Image(app, 'Web');
new DockerSource(image, 'Docker', { image: '${await baseImage()}', discard: true });
new Shell(image, 'One', { inline: ['echo one > /one'] });
new File(image, 'Back', { direction: 'download', source: '/one', destination: 'one.txt' });
const local = new Image(app, 'Here');
new NullSource(local, 'Null', { local: true });
new Shell(local, 'Touch', { inline: ['echo again >> log.txt'] });
new Manifest(local, 'Manifest');
` });
  t.equal((await run(t, project)).code, 0);
  writeFileSync(join(project, 'one.txt'), 'somebody else');
  const again = await run(t, project, ['--force']);
  t.same(again.cached, ['One']);
  t.equal(readFileSync(join(project, 'one.txt'), 'utf8'), 'one\n');
  t.equal(readFileSync(join(project, 'log.txt'), 'utf8'), 'again\nagain\n');
  t.equal((JSON.parse(readFileSync(join(project, 'bake-manifest.json'), 'utf8')) as { builds: unknown[] }).builds.length, 1, 'with --force the entries of earlier runs go');
});

t.test('QEMU: a build goes on in the running machine, with its memory', { timeout: 200_000 }, async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const project = t.testdir({ 'image.ts': await guestImage('', `new Shell(image, 'One', { inline: ['mkdir -p /run/mem; mount -t tmpfs none /run/mem; echo remembered > /run/mem/note; echo one > /root/one'] });
new Shell(image, 'Two', { inline: ['cat /run/mem/note > /root/two', 'date +%s > /root/time'] });
new Verify(image, 'Checked', { checks: [{ command: 'cat /root/one /root/two', stdout: 'one\\nremembered\\n' }] });`) });
  t.equal((await run(t, project)).code, 0);
  t.match(await run(t, project), { did: ['Host'], upToDate: true });
  edit(project, "'date +%s", "'echo edited > /root/edited', 'date +%s");
  const edited = await run(t, project);
  t.equal(edited.code, 0);
  t.same(edited.cached, ['One']);
  t.ok(edited.did.includes('Checked'), 'what comes out starts, and has what was in memory');
  const info = JSON.parse(execFileSync('qemu-img', ['info', '--output=json', join(project, 'tiny.qcow2')], { encoding: 'utf8' })) as Record<string, unknown>;
  t.equal(info['backing-filename'], undefined, 'it stands alone');
  t.same([...leftovers(project), ...qemuLeftovers(project), ...halves(project)], []);
});

t.test('machines that start from one checkpoint draw different random numbers', { timeout: 200_000 }, async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const project = t.testdir({ 'image.ts': await guestImage('', `new Shell(image, 'One', { inline: ['echo one > /root/one'] });
new Shell(image, 'Draw', { inline: ['echo run 0', 'echo "drawn $(head -c 16 /dev/urandom | od -An -tx1 | tr -d \\' \\')"'] });`) });
  const drawn: string[] = [];
  for (const round of [0, 1, 2]) {
    if (round > 0) edit(project, `run ${round - 1}`, `run ${round}`);
    const { code, stdout } = await bake(project, ['run', '--json', '--checkpoints', 'all']);
    t.equal(code, 0);
    if (round > 0) t.match(stdout, '"type":"build.resumed"');
    drawn.push(/drawn ([0-9a-f]{32})/.exec(stdout)?.[1] ?? '');
  }
  t.equal(new Set(drawn.filter((text) => text !== '')).size, 3, drawn.join(' '));
});

t.test('kill -9 while a checkpoint is saved leaves no half, and the next run ends well', { timeout: 200_000 }, async (t) => {
  if (!(await need(t, 'docker'))) return;
  const project = t.testdir({ 'image.ts': `import { App, Image, Shell } from 'bake-sdk';
import { DockerSource } from 'bake-sdk/docker';
const image = new Image(new App(), 'Web');
new DockerSource(image, 'Docker', { image: '${await baseImage()}', discard: true });
for (const name of ['A', 'B', 'C']) new Shell(image, name, { inline: [\`dd if=/dev/zero of=/\${name} bs=1M count=60 2> /dev/null\`, 'sleep 0.3'] });
` });
  const journal = () => readdirSync(join(project, '.bake/runs')).sort().slice(-1).map((name) => readFileSync(join(project, '.bake/runs', name, 'journal.jsonl'), 'utf8')).join('');
  for (const delay of [0, 20, 60, 120, 200, 400]) {
    const running = startBake(project, ['run', '--no-cache', '--checkpoints', 'all', '--json']);
    await running.saw(/"step":"Web\/Docker:A".*\n(.*\n)*.*"step.succeeded"[^\n]*Web\/Docker:A/);
    while (!journal().includes('checkpoint.begun')) await new Promise((resolve) => { setTimeout(resolve, 2); });
    await new Promise((resolve) => { setTimeout(resolve, delay); });
    running.child.kill('SIGKILL');
    await running.done;
    t.equal((await bake(project, ['clean'])).code, 0);
    t.same([...leftovers(project), ...halves(project, true)], [], `killed ${delay} ms after it began`);
  }
  t.equal((await run(t, project)).code, 0);
});
