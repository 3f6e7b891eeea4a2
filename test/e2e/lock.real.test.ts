// What lookups found stays as it was found until the user says otherwise: on a real registry, a real daemon and a real server.
import { execFileSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { baseImage } from '../platforms/docker/base-image.js';
import { startRegistry } from '../platforms/docker/registry.js';
import { bake } from '../support/bake-cli.js';
import { need } from '../support/need.js';

const docker = (...args: string[]) => execFileSync('docker', args, { encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] }).trim();
const pins = (project: string) => JSON.parse(readFileSync(join(project, 'bake.lock.json'), 'utf8')) as Record<string, { readonly digest: string; readonly sha256: string; readonly snapshot: string }>;

t.test('a tag that moves is followed only when the user wants it', { timeout: 120_000 }, async (t) => {
  if (!(await need(t, 'docker')) || !(await need(t, 'registry'))) return;
  const registry = await startRegistry();
  t.teardown(() => registry.stop());
  const name = `${registry.host}/lock/base:1`;
  const publish = async (content: string) => {
    const container = docker('create', await baseImage(), '/bin/sh');
    const file = join(t.testdirName, 'content');
    writeFileSync(file, content);
    docker('cp', file, `${container}:/content`);
    docker('commit', container, name);
    docker('rm', container);
    docker('push', '-q', name);
    const digest = /sha256:[0-9a-f]{64}/.exec(docker('inspect', '--format', '{{.RepoDigests}}', name))![0];
    forget();
    return digest;
  };
  const forget = () => { execFileSync('sh', ['-c', 'docker rmi $(docker images --digests --format "{{.Repository}}@{{.Digest}}" "$1" | grep sha256 | sort -u) "$1:1" > /dev/null 2>&1 || true', 'sh', `${registry.host}/lock/base`]); };
  const project = t.testdir({ 'image.ts': `import { App, Image, Shell } from 'bake-sdk';
import { DockerSource } from 'bake-sdk/docker';
const image = new Image(new App(), 'Web');
new DockerSource(image, 'Docker', { image: '${name}', tags: ['bake-test-lock:1'] });
new Shell(image, 'Read', { inline: ['cat /content > /read'] });
` });
  t.teardown(() => { forget(); execFileSync('sh', ['-c', 'docker rmi bake-test-lock:1 || true'], { stdio: 'ignore' }); });
  const read = () => docker('run', '--rm', 'bake-test-lock:1', '/bin/cat', '/read');
  const run = async (...more: string[]) => {
    const result = await bake(project, ['run', ...more]);
    t.comment(result.stderr.slice(-2_000));
    return result;
  };

  const first = await publish('first');
  t.match(await run('--frozen'), { code: 1, stderr: /NotPinned[\s\S]*--frozen/ });
  t.notOk(existsSync(join(project, 'bake.lock.json')));
  t.equal((await run()).code, 0);
  t.equal(pins(project)[`docker ${name}`]?.digest, first);
  t.equal(read(), 'first');

  const second = await publish('second');
  t.not(second, first);
  t.match(await run(), { code: 0, stderr: /up to date/ });
  forget();
  t.match(await run('--frozen', '--no-cache'), { code: 0, stderr: new RegExp(`pulling .*@${first}`) });
  t.equal(read(), 'first', 'also where the daemon had to pull it anew');
  t.match(await run('--update=lock/base:2'), { code: 2, stderr: /NoSuchPin/ });
  t.match(await run('--update', '--frozen'), { code: 2, stderr: /--frozen and --update/ });

  t.match(await run('--update=docker'), { code: 0 });
  t.equal(pins(project)[`docker ${name}`]?.digest, second);
  t.equal(read(), 'second');

  // As after "git checkout" of the state before: the plan says what moved, and the run goes back.
  const text = readFileSync(join(project, 'bake.lock.json'), 'utf8');
  writeFileSync(join(project, 'bake.lock.json'), text.replace(second, first));
  t.match((await bake(project, ['run', '--dry-run'])).stdout, new RegExp(`${second.slice(0, 20)}[\\s\\S]*${first.slice(0, 20)}`));
  t.equal((await run()).code, 0);
  t.equal(read(), 'first');

  // A name that only this daemon knows is no name elsewhere, whatever the image was called first.
  docker('pull', '-q', name);
  docker('tag', name, 'bake-test-lock:mine');
  t.teardown(() => { execFileSync('sh', ['-c', 'docker rmi bake-test-lock:mine || true'], { stdio: 'ignore' }); });
  const app = readFileSync(join(project, 'image.ts'), 'utf8');
  writeFileSync(join(project, 'image.ts'), app.replace(`image: '${name}'`, "image: 'bake-test-lock:mine'"));
  for (const more of [[], ['--update'], []]) t.equal((await run(...more)).code, 0);
  t.same(Object.keys(pins(project)).filter((key) => key.includes('mine')), []);
  writeFileSync(join(project, 'image.ts'), app);

  const none = `sha256:${'0'.repeat(64)}`;
  writeFileSync(join(project, 'bake.lock.json'), text.replace(second, none));
  t.match(await run(), { code: 1, stderr: /bake\.lock\.json pins[\s\S]*--update='docker / });
});

t.test('a download without a checksum is the same file in each run', { timeout: 60_000 }, async (t) => {
  if (!(await need(t, 'qemu'))) return;
  let content = 'one';
  const url = await serve(t, createServer((_, response) => { response.end(content); }));
  const project = t.testdir({ 'image.ts': `import { App, Image } from 'bake-sdk';
import { Download, QemuSource } from 'bake-sdk/qemu';
new QemuSource(new Image(new App(), 'Web'), 'Qemu', { disk: Download.fromUrl('${url}/disk.img?part=1&X-Amz-Signature=abc', { checksum: 'none' }), communicator: 'none' });
` });
  const { stderr } = await bake(project, ['run']);
  t.match(stderr, /bake\.lock\.json: download .*disk\.img/);
  const [what, pin] = Object.entries(pins(project))[0]!;
  t.match(pin.sha256, /^[0-9a-f]{64}$/);
  t.equal(what, `download ${url}/disk.img?part=1`, 'without what lets somebody in');
  content = 'two';
  rmSync(join(project, '.bake/cache'), { recursive: true });
  const moved = await bake(project, ['run']);
  t.match(moved.stderr, /ChecksumMismatch[\s\S]*not the file that bake\.lock\.json pins[\s\S]*--update='download /);
  await bake(project, ['run', '--update=download']);
  t.not(pins(project)[what]?.sha256, pin.sha256);
});

t.test('packages come from the snapshot that was the newest one', { timeout: 200_000 }, async (t) => {
  if (!(await need(t, 'namespaces')) || !(await need(t, 'mmdebstrap'))) return;
  const asked: string[] = [];
  let newest = '20261101T120000Z';
  // As the archives of Debian do: any time leads to the last snapshot before it, and files are there under that time.
  const url = await serve(t, createServer((request, response) => {
    asked.push(request.url!);
    const [, time, path] = /^\/archive\/debian\/(\d{8}T\d{6}Z)\/(.*)$/.exec(request.url!) ?? [];
    if (time === undefined) response.writeHead(404).end();
    else if (path === '' && time !== newest) response.writeHead(302, { location: `/archive/debian/${newest}/` }).end();
    else response.writeHead(path === '' ? 200 : 404).end();
  }));
  const project = t.testdir({ 'image.ts': `import { App, Image } from 'bake-sdk';
import { BootstrapSource } from 'bake-sdk/rootfs';
new BootstrapSource(new Image(new App(), 'Base'), 'Rootfs', { mirror: '${url}/archive/debian/{snapshot}' });
` });
  const first = await bake(project, ['run']);
  t.equal(first.code, 1, 'the archive here is empty');
  const key = `snapshot ${url}/archive/debian`;
  t.same(pins(project)[key], { snapshot: newest });
  t.ok(asked.some((path) => path.startsWith(`/archive/debian/${newest}/dists/bookworm/`)), 'it is where packages are looked for');
  const was = newest;
  newest = '20261120T120000Z';
  await bake(project, ['run']);
  t.same(pins(project)[key], { snapshot: was });
  await bake(project, ['run', '--update=snapshot']);
  t.same(pins(project)[key], { snapshot: newest });
});

async function serve(t: Test, server: Server): Promise<string> {
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.teardown(() => { server.close(); server.closeAllConnections(); });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
