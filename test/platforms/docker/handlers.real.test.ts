import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { StagedAsset } from '../../../lib/plan/late.js';
import { containerHandler } from '../../../lib/platforms/docker/engine/container.js';
import { dockerfileImageHandler } from '../../../lib/platforms/docker/engine/dockerfile-image.js';
import { DockerodeEngine } from '../../../lib/platforms/docker/engine/dockerode-engine.js';
import { exportHandler } from '../../../lib/platforms/docker/engine/export.js';
import { imageHandler } from '../../../lib/platforms/docker/engine/image.js';
import { importHandler } from '../../../lib/platforms/docker/engine/import.js';
import { importedImageHandler } from '../../../lib/platforms/docker/engine/imported-image.js';
import { saveHandler } from '../../../lib/platforms/docker/engine/save.js';
import { scanDocker } from '../../../lib/platforms/docker/engine/scan.js';
import { tagHandler } from '../../../lib/platforms/docker/engine/tag.js';
import { systemClock } from '../../../lib/toolkit/host/clock.js';
import { systemExec } from '../../../lib/toolkit/host/exec.js';
import { systemIds } from '../../../lib/toolkit/host/ids.js';
import { need } from '../../support/need.js';
import { busyboxImage } from './busybox-image.js';
import { contextsOf } from './step-context.js';

const docker = (...args: string[]) => execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
const inspect = (id: string) => JSON.parse(docker('inspect', id))[0];
const exists = (id: string) => { try { docker('inspect', id); return true; } catch { return false; } };
/** An image made from another by Dockerfile instructions. */
const derive = (base: string, ...changes: string[]) => {
  const container = docker('create', base, 'true');
  const image = docker('commit', ...changes.flatMap((change) => ['--change', change]), container);
  docker('rm', container);
  return image;
};
const unique = (word: string) => `bake-test/${word}-${randomBytes(4).toString('hex')}`;
const asset = (path: string, type: 'file' | 'directory'): StagedAsset => ({ path, type, name: path.split('/').at(-1)!, size: 0, digest: 'x' });

if (await need(t, 'docker') && await need(t, 'busybox')) {
  const base = await busyboxImage();
  const engine = new DockerodeEngine();
  const context = contextsOf(t);
  const containers = containerHandler(engine);
  const images = imageHandler(engine);
  const scanHost = { exec: systemExec(), clock: systemClock, ids: systemIds, signal: new AbortController().signal, project: '/' };

  await t.test('a container is stamped, found by its stamp and removed with its anonymous volumes', async (t) => {
    const ctx = context();
    const handle = await containers.acquire({ image: base, env: { A: 'b' }, tmpfs: ['/quick:size=1m'], memory: 64 * 1024 * 1024, hostname: 'oven', extraHosts: ['nowhere:127.0.0.9'], capAdd: ['NET_ADMIN'], shmSize: 1024 * 1024, cpus: 0.5 }, ctx);
    const facts = inspect(handle.id);
    t.match(facts.Config.Labels, { 'dev.bake.run': ctx.run.id, 'dev.bake.token': ctx.token, 'dev.bake.temporary': 'true' });
    t.match(facts.HostConfig, { Memory: 64 * 1024 * 1024, CapAdd: ['NET_ADMIN'], ShmSize: 1024 * 1024, NanoCpus: 500_000_000, Tmpfs: { '/quick': 'size=1m' }, ExtraHosts: ['nowhere:127.0.0.9'] });
    t.equal(facts.Config.Hostname, 'oven');
    t.match(handle, { host: /^172\./, user: 'root', connection: { kind: 'docker-exec', container: handle.id, env: { A: 'b' }, tmpfs: ['/quick'] } });
    t.match(await containers.find(ctx.token, { image: base }, ctx), { id: handle.id });
    t.equal(await containers.find('another', { image: base }, ctx), undefined);

    const second = await containers.acquire({ image: base }, ctx);
    t.notOk(exists(handle.id), 'a further attempt with the token replaces the first');
    await containers.release(second, ctx);
    t.notOk(exists(second.id));
    await containers.release(second, ctx);
  });

  await t.test('a volume that an image declares goes with the container', async (t) => {
    const withVolume = derive(base, 'VOLUME /data');
    t.teardown(() => docker('rmi', '-f', withVolume));
    const handle = await containers.acquire({ image: withVolume }, context());
    const [mount] = inspect(handle.id).Mounts;
    t.ok(exists(mount.Name));
    await containers.release(handle, context());
    t.notOk(exists(mount.Name));
  });

  await t.test('a container that cannot start says why and is found for removal', async (t) => {
    const ctx = context();
    await t.rejects(containers.acquire({ image: base, runCommand: ['/no/such'] }, ctx), { code: 'DockerContainerFailed', message: /no such file/ });
    const left = await containers.find(ctx.token, { image: base }, ctx);
    t.ok(left);
    await containers.release(left!, ctx);
    await t.rejects(containers.acquire({ image: 'bake-test/none:1' }, context()), { code: 'DockerImageNotFound' });
  });

  await t.test('a commit keeps what its base says, takes changes, and carries stamp, labels and names', async (t) => {
    const name = unique('web');
    const machine = await containers.acquire({ image: base }, context());
    t.teardown(() => containers.release(machine, context()));
    const ctx = context();
    const spec = { container: machine.id, author: 'me', message: 'a "message"', labels: { 'with space': 'a $HOME "x"' }, tags: [`${name}:1`, name], changes: ['ENV A=b', 'WORKDIR /srv'] };
    const handle = await images.acquire(spec, ctx);
    const facts = inspect(handle.id);
    t.strictSame([facts.Config.Entrypoint ?? [], facts.Config.Cmd], [[], inspect(base).Config.Cmd ?? []]);
    t.match(facts, { Author: 'me', Comment: 'a "message"', Config: { WorkingDir: '/srv', Labels: { 'with space': 'a $HOME "x"', 'dev.bake.token': ctx.token, 'dev.bake.temporary': 'false' } } });
    t.ok(facts.Config.Env.includes('A=b'));
    t.strictSame(facts.RepoTags.sort(), [`${name}:1`, `${name}:latest`]);
    t.match(handle.artifact, { type: 'docker.image', id: handle.id, data: { repoTags: [`${name}:1`, `${name}:latest`] } });
    t.match(await images.find(ctx.token, spec, ctx), { id: handle.id, tags: [`${name}:1`, `${name}:latest`] });

    const users = docker('run', '-d', handle.id, 'sleep', '60');
    const strays = await scanDocker(engine, scanHost);
    t.notOk(strays.some((stray) => stray.title === inspect(users).Name.slice(1) || handle.id.includes(stray.title)), "a finished image and its users' containers are no strays");
    t.ok(strays.some((stray) => stray.title === machine.name && stray.run === ctx.run.id));
    docker('rm', '-f', users);

    await images.release(handle, ctx);
    t.notOk(exists(handle.id));
    await images.release(handle, ctx);
  });

  await t.test('an entrypoint of the base comes back in the commit', async (t) => {
    const special = derive(base, 'ENTRYPOINT ["/bin/echo", "hello"]', 'CMD ["world"]', 'USER 65534');
    const machine = await containers.acquire({ image: special, execUser: 'root' }, context());
    const handle = await images.acquire({ container: machine.id }, context());
    t.match(inspect(handle.id).Config, { Entrypoint: ['/bin/echo', 'hello'], Cmd: ['world'], User: '65534' });
    t.equal(docker('run', '--rm', handle.id), 'hello world');
    await images.release(handle, context());
    t.ok(exists(special), 'an image is never removed with one that was made from it');
    await containers.release(machine, context());
    docker('rmi', special);
  });

  await t.test('a name goes back to the image that had it', async (t) => {
    const name = unique('moved');
    docker('tag', base, `${name}:1`);
    const machine = await containers.acquire({ image: base }, context());
    const ctx = context();
    const handle = await images.acquire({ container: machine.id, tags: [`${name}:1`] }, ctx);
    t.equal(inspect(`${name}:1`).Id, handle.id);
    await images.release(handle, ctx);
    t.equal(inspect(`${name}:1`).Id, inspect(base).Id);
    docker('rmi', `${name}:1`);
    await containers.release(machine, context());
  });

  await t.test('a tag is undone without removing an image that has no other name', async (t) => {
    const name = unique('tagged');
    const machine = await containers.acquire({ image: base }, context());
    const made = await images.acquire({ container: machine.id }, context());
    const tags = tagHandler(engine);
    const ctx = context();
    const spec = { artifact: made.artifact, tags: [`${name}:1`, `${name}:2`] };
    const handle = await tags.acquire(spec, ctx);
    t.match(handle.artifact, { id: made.id, data: { repoTags: [`${name}:1`, `${name}:2`] } });
    t.match(await tags.find(ctx.token, spec, ctx), { image: made.id });
    await tags.release(handle, ctx);
    t.strictSame(inspect(made.id).RepoTags, []);
    t.notOk(exists(`${name}:1`));
    await tags.release(handle, ctx);
    await images.release(made, context());
    await containers.release(machine, context());
    await t.rejects(tags.acquire({ artifact: { ...made.artifact, type: 'files' }, tags: ['x'] }, context()), { code: 'WrongArtifact' });
  });

  await t.test('export, import and save pass a root tree on', async (t) => {
    const machine = await containers.acquire({ image: base }, context());
    docker('exec', machine.id, 'sh', '-c', 'echo here > /proof');
    const ctx = context();
    const exported = await exportHandler(engine).acquire({ container: machine.id, path: 'out/root.tar' }, ctx);
    t.match(exported.artifact, { type: 'docker.export', id: join(ctx.run.project, 'out/root.tar') });
    t.equal((await stat(exported.path)).size, exported.artifact.files[0]?.size);

    const name = unique('imported');
    const imports = importHandler(engine);
    const importCtx = context();
    const imported = await imports.acquire({ artifact: exported.artifact, repository: name, tag: '7', changes: ['CMD ["cat", "/proof"]'], labels: { odd: 'a "b" $c \\d' } }, importCtx);
    t.equal(docker('run', '--rm', `${name}:7`), 'here');
    t.match(inspect(imported.id).Config.Labels, { odd: 'a "b" $c \\d', 'dev.bake.token': importCtx.token, 'dev.bake.temporary': 'false' });
    t.match(await imports.find(importCtx.token, {} as never, importCtx), { id: imported.id });

    const saved = await saveHandler(engine).acquire({ artifact: imported.artifact, path: 'out/image.tar' }, context());
    t.match(saved.artifact, { type: 'docker.archive', data: { repoTags: [`${name}:7`] } });
    await imports.release(imported, importCtx);
    t.notOk(exists(imported.id));

    const bases = importedImageHandler(engine);
    const loadCtx = context();
    const loaded = await bases.acquire({ artifact: saved.artifact }, loadCtx);
    t.equal(loaded.id, imported.id);
    t.match(await bases.find(loadCtx.token, { artifact: saved.artifact }, loadCtx), { id: imported.id });
    await bases.release(loaded, loadCtx);
    t.notOk(exists(imported.id), 'what was loaded goes again');

    const treeCtx = context();
    const tree = await bases.acquire({ import: 'out/root.tar', importChanges: ['ENV A=b'] }, treeCtx);
    t.match(inspect(tree.id).Config, { Env: ['A=b'], Labels: { 'dev.bake.temporary': 'true', 'dev.bake.token': treeCtx.token } });
    t.match(await bases.find(treeCtx.token, { import: 'out/root.tar' }, treeCtx), { id: tree.id });
    await bases.release(tree, treeCtx);
    t.notOk(exists(tree.id));
    await containers.release(machine, context());
  });

  await t.test('a temporary base stays behind its commit without a name and is no stray', async (t) => {
    const ctx = context();
    const folder = t.testdir({ Dockerfile: `FROM ${base}\nRUN echo one > /one\nRUN echo two > /two\n` });
    const bases = dockerfileImageHandler(engine);
    const spec = { dockerfile: asset(join(folder, 'Dockerfile'), 'file'), context: asset(folder, 'directory'), dockerfileName: 'Dockerfile', noCache: true };
    const handle = await bases.acquire(spec, ctx);
    t.equal(handle.layers.length, 5, 'two instructions and three labels');
    t.match(await bases.find(ctx.token, spec, ctx), { id: handle.id, layers: handle.layers });
    const machine = await containers.acquire({ image: handle.id }, context());
    const made = await images.acquire({ container: machine.id }, context());
    t.equal(inspect(made.id).Config.Labels['dev.bake.temporary'], 'false');
    await containers.release(machine, context());
    await bases.release(handle, ctx);
    t.strictSame((await scanDocker(engine, scanHost)).filter((stray) => stray.run === ctx.run.id), []);
    t.equal(docker('run', '--rm', made.id, 'cat', '/one', '/two'), 'one\ntwo');
    await images.release(made, context());
    await bases.release(handle, ctx);
    t.notOk(exists(handle.id));
    for (const layer of handle.layers) t.notOk(exists(layer));
  });

  await t.test('a Dockerfile gets arguments, its target and what .dockerignore leaves', async (t) => {
    const folder = t.testdir({
      context: { keep: 'keep', drop: 'drop', docs: { a: 'a', keep: 'k' }, '.dockerignore': 'drop\ndocs\n!docs/keep\n' },
      Dockerfile: `FROM ${base} AS first\nARG WORD\nCOPY . /in\nRUN echo "$WORD" > /word; find /in | sort > /list\nFROM first\nRUN false\n`,
    });
    const ctx = context();
    const bases = dockerfileImageHandler(engine);
    const handle = await bases.acquire({ dockerfile: asset(join(folder, 'Dockerfile'), 'file'), context: asset(join(folder, 'context'), 'directory'), args: { WORD: 'it; works' }, target: 'first' }, ctx);
    t.equal(docker('run', '--rm', handle.id, 'cat', '/word', '/list'), 'it; works\n/in\n/in/.dockerignore\n/in/docs\n/in/docs/keep\n/in/keep');
    await bases.release(handle, ctx);
  });

  await t.test('a Dockerfile that fails names the instruction and shows the last lines; nothing stays', async (t) => {
    const folder = t.testdir({ Dockerfile: `FROM ${base}\nRUN echo ${randomBytes(4).toString('hex')} > /x\nRUN echo "about to fail" && exit 7\n` });
    const ctx = context();
    const bases = dockerfileImageHandler(engine);
    const spec = { dockerfile: asset(join(folder, 'Dockerfile'), 'file'), context: asset(folder, 'directory'), dockerfileName: 'Dockerfile' };
    await t.rejects(bases.acquire(spec, ctx), { code: 'DockerBuildFailed', message: /at "RUN echo "about to fail" && exit 7": .*non-zero code: 7/ });
    const left = (await bases.find(ctx.token, spec, ctx))!;
    t.equal(left.layers.length, 1);
    await bases.release(left, ctx);
    t.notOk(exists(left.layers[0]!));
    await writeFile(join(folder, 'Dockerfile'), 'FRO x\n');
    await t.rejects(bases.acquire(spec, context()), { code: 'DockerBuildFailed', message: /unknown instruction: FRO/i });
  });

  await t.test('BuildKit builds what the classic builder cannot, with lines and a failing instruction', async (t) => {
    const folder = t.testdir({ Dockerfile: `FROM ${base}\nRUN --mount=type=tmpfs,target=/quick echo hello from buildkit && touch /quick/x\n` });
    const ctx = context();
    const bases = dockerfileImageHandler(engine);
    const spec = { dockerfile: asset(join(folder, 'Dockerfile'), 'file'), context: asset(folder, 'directory'), dockerfileName: 'Dockerfile', buildKit: true, noCache: true };
    const handle = await bases.acquire(spec, ctx);
    t.ok(ctx.lines.includes('hello from buildkit'), ctx.lines.join('\n'));
    t.match(await bases.find(ctx.token, spec, ctx), { id: handle.id, layers: [] });
    await bases.release(handle, ctx);
    t.notOk(exists(handle.id));
    await writeFile(join(folder, 'Dockerfile'), `FROM ${base}\nRUN echo "about to fail" && exit 7\n`);
    await t.rejects(bases.acquire(spec, context()), { code: 'DockerBuildFailed', message: /at "RUN echo "about to fail" && exit 7": .*exit code: 7/, output: /about to fail/ });
  });

  await t.test('an abort ends a Dockerfile build, and its containers go', async (t) => {
    const seconds = 1_000_000 + randomBytes(2).readUInt16BE();
    const folder = t.testdir({ Dockerfile: `FROM ${base}\nRUN echo started && sleep ${seconds}\n` });
    const abort = new AbortController();
    const ctx = context({ signal: abort.signal });
    const log = ctx.log;
    const watching = { ...ctx, log: (line: string) => { log(line); if (line === 'started') abort.abort(new Error('stop')); } };
    const bases = dockerfileImageHandler(engine);
    await t.rejects(bases.acquire({ dockerfile: asset(join(folder, 'Dockerfile'), 'file'), context: asset(folder, 'directory'), dockerfileName: 'Dockerfile', noCache: true }, watching), { message: 'stop' });
    let left = 'some';
    for (let wait = 50; left !== '' && wait < 5_000; wait *= 2) {
      left = docker('ps', '--no-trunc', '--format', '{{.Command}}').split('\n').filter((command) => command.includes(`sleep ${seconds}`)).join();
      if (left !== '') await systemClock.sleep(wait);
    }
    t.equal(left, '');
  });

  await t.test('what is no tarball is refused by its name', async (t) => {
    const ctx = context();
    const bases = importedImageHandler(engine);
    const folder = t.testdir({ 'text.tar': 'not a tar'.repeat(200), 'empty.tar': '' });
    for (const [file, words] of [['text.tar', 'is no tar archive'], ['empty.tar', 'is empty'], ['none.tar', 'does not exist']] as const) {
      const spec = { import: join(folder, file) };
      await t.rejects(bases.check!(spec, ctx), { code: 'DockerImportFailed', message: `${spec.import} ${words}` });
      await t.rejects(bases.acquire(spec, ctx), { code: 'DockerImportFailed' });
    }
    const cut = join(folder, 'cut.tar');
    await mkdir(folder, { recursive: true });
    execFileSync('sh', ['-c', 'tar -cf - -C /usr/bin . | head -c 400000 > "$1"', 'sh', cut]);
    await t.rejects(bases.acquire({ import: cut }, ctx), { code: 'DockerImportFailed', message: /cut\.tar: .*unexpected EOF/ });
    await t.rejects(bases.acquire({ artifact: { type: 'docker.archive', id: cut, title: '', files: [], data: {} } }, ctx), { code: 'DockerImportFailed' });
    await t.rejects(bases.acquire({ artifact: { type: 'rootfs.directory', id: '/', title: '', files: [], data: {} } }, ctx), { code: 'DockerBaseUnsupported' });
    t.equal(await readFile(join(folder, 'empty.tar'), 'utf8'), '');
  });
}
