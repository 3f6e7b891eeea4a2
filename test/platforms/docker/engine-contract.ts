import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Test } from 'tap';
import { pack } from 'tar-stream';
import { LayerWatcher } from '../../../lib/platforms/docker/engine/dockerfile-image.js';
import type { ContainerOptions, DockerEngine, ImageConfig } from '../../../lib/platforms/docker/engine/docker-engine.js';

export interface EngineSubject {
  readonly engine: DockerEngine;
  /** An image that is there, with /bin/sh. */
  readonly base: string;
}

const unique = (word: string) => `bake-test/${word}-${randomBytes(4).toString('hex')}`;
const plain: ImageConfig = { user: '', workingDir: '', entrypoint: null, cmd: null, labels: {} };

/** What every Docker engine promises; see `fake-docker-engine.md` for the numbers. */
export async function engineContract(t: Test, { engine, base }: EngineSubject): Promise<void> {
  const mark = { 'dev.bake.run': 'contract', 'dev.bake.temporary': 'true' };
  const start = async (t: Test, more: Partial<ContainerOptions> = {}) => {
    const id = await engine.createContainer({ name: unique('c').replace('/', '-'), image: base, argv: ['/bin/sh'], labels: mark, ...more });
    t.teardown(() => engine.removeContainer(id));
    await engine.startContainer(id);
    return id;
  };
  const commit = async (t: Test, container: string, config: Partial<ImageConfig> = {}, changes: readonly string[] = []) => {
    const id = await engine.commit({ container, changes, config: { ...plain, ...config } });
    t.teardown(() => engine.removeImage(id));
    return id;
  };

  await t.test('the daemon says its version', async (t) => {
    t.match(await engine.version(), { version: /\d/, apiVersion: /^1\./, os: 'linux' });
  });

  await t.test('1, 6: a name is moved and taken away, and the image stays', async (t) => {
    const [one, two] = [await commit(t, await start(t)), await commit(t, await start(t))];
    const name = unique('name');
    await engine.tag(one, `${name}:1`);
    t.strictSame((await engine.inspectImage(one))?.repoTags, [`${name}:1`]);
    await engine.tag(two, `${name}:1`);
    t.strictSame((await engine.inspectImage(one))?.repoTags, []);
    t.equal((await engine.inspectImage(`${name}:1`))?.id, two);
    await engine.tag(two, name);
    await engine.untag(`${name}:1`, mark);
    t.strictSame((await engine.inspectImage(two))?.repoTags, [`${name}:latest`]);
    await engine.untag(name, mark);
    t.strictSame((await engine.inspectImage(two))?.repoTags, []);
    t.equal(await engine.inspectImage(name), undefined);
    await t.rejects(engine.tag(unique('none'), name), { code: 'DockerImageNotFound' });
  });

  await t.test('2: what is not there is undefined, and removing it succeeds', async (t) => {
    t.equal(await engine.inspectImage(unique('none')), undefined);
    t.equal(await engine.inspectImage(`sha256:${'0'.repeat(64)}`), undefined);
    t.equal(await engine.inspectContainer('0'.repeat(64)), undefined);
    t.equal(await engine.removeImage(`sha256:${'0'.repeat(64)}`), 'missing');
    await engine.untag(unique('none'), mark);
    await engine.removeContainer('0'.repeat(64));
  });

  await t.test('3, 4: a commit has labels of the container under its own, and the settings it is told', async (t) => {
    const container = await start(t, { labels: { ...mark, kept: 'yes', both: 'container' } });
    const id = await commit(t, container, { user: 'nobody', workingDir: '/srv', entrypoint: ['/bin/echo'], cmd: ['hi'], labels: { both: 'image', odd: 'a "b" $c \\d' } });
    t.match(await engine.inspectImage(id), { config: { user: 'nobody', workingDir: '/srv', entrypoint: ['/bin/echo'], cmd: ['hi'], labels: { kept: 'yes', both: 'image', odd: 'a "b" $c \\d' } } });
    const bare = (await engine.inspectImage(await commit(t, container)))!.config;
    t.strictSame([bare.entrypoint ?? [], bare.cmd ?? []], [[], []], 'not the shell that the container ran');
    const changed = (await engine.inspectImage(await commit(t, container, { cmd: ['old'] }, ['CMD ["new"]', 'USER daemon', 'LABEL "a b"="c \\"d\\" \\$e"'])))!.config;
    t.match(changed, { cmd: ['new'], user: 'daemon', labels: { 'a b': 'c "d" $e' } });
    await t.rejects(engine.commit({ container, changes: ['FROM x'], config: plain }), { code: 'DockerCommitFailed' });
    await t.rejects(engine.commit({ container: '0'.repeat(64), changes: [], config: plain }), { code: 'DockerCommitFailed' });
  });

  await t.test('13: the images of a repository are listed by tag, with what was said when they were committed', async (t) => {
    const [container, repository] = [await start(t), unique('named')];
    for (const tag of ['1', '2']) {
      const id = await engine.commit({ container, changes: [], config: plain, name: `${repository}:${tag}`, message: `said ${tag}` });
      t.teardown(() => engine.removeImage(id));
    }
    const named = [...await engine.imagesNamed(repository)].sort((a, b) => Number(a.tag) - Number(b.tag));
    t.match(named, [{ id: /^sha256:/, tag: '1', comment: 'said 1' }, { tag: '2', comment: 'said 2' }]);
    t.same(await engine.imagesNamed(unique('named')), []);
  });

  await t.test('5, 7: an image goes with its names; one that others were made from is kept and not listed', async (t) => {
    const token = unique('t');
    const parent = await commit(t, await start(t), { labels: { 'dev.bake.token': token } });
    const child = await commit(t, await start(t, { image: parent }), { labels: { 'dev.bake.token': `${token}-child` } });
    const filter = `dev.bake.token=${token}`;
    const listed = async () => (await engine.listImages(filter)).map((image) => image.id);
    for (const one of await engine.listContainers('dev.bake.temporary=true')) if ((await engine.inspectContainer(one.id))?.image === parent) await engine.removeContainer(one.id);
    t.strictSame(await listed(), []);
    await engine.tag(parent, `${token}:1`);
    t.strictSame(await listed(), [parent]);
    t.equal(await engine.removeImage(parent), 'kept');
    t.strictSame(await listed(), []);
    t.equal(await engine.removeImage(child), 'removed');
    t.strictSame(await listed(), [parent], 'never with its child');
    t.equal(await engine.removeImage(parent), 'removed');
    t.equal(await engine.inspectImage(parent), undefined);
  });

  await t.test('5: a running container holds its image', async (t) => {
    const image = await commit(t, await start(t));
    const container = await start(t, { image });
    await t.rejects(engine.removeImage(image), { code: 'DockerImageInUse' });
    await engine.removeContainer(container);
    t.equal(await engine.removeImage(image), 'removed');
  });

  await t.test('3, 8: a container is listed by its labels, also before it runs, and its name is its own', async (t) => {
    const name = unique('c').replace('/', '-');
    const options = { name, image: base, argv: ['/no/such'], labels: { ...mark, 'dev.bake.token': name } };
    const id = await engine.createContainer(options);
    t.teardown(() => engine.removeContainer(id));
    t.match(await engine.listContainers(`dev.bake.token=${name}`), [{ id, title: name, labels: mark }]);
    await t.rejects(engine.createContainer(options), { code: 'DockerNameTaken' });
    await t.rejects(engine.startContainer(id), { code: 'DockerContainerFailed' });
    t.match(await engine.inspectContainer(id), { id, name, isRunning: false, address: '', labels: mark });
    await engine.removeContainer(id);
    t.strictSame(await engine.listContainers(`dev.bake.token=${name}`), []);
    await t.rejects(engine.createContainer({ ...options, image: unique('none') }), { code: 'DockerImageNotFound' });
  });

  await t.test('9: a program has lines, input with an end, and an exit code', async (t) => {
    const port = engine.container(await start(t));
    const run = async (script: string, stdin?: string | Readable) => {
      const out: Uint8Array[] = [];
      const err: Uint8Array[] = [];
      const code = await port.run({ argv: ['/bin/sh', '-c', script], ...(stdin === undefined ? {} : { stdin }), onStdout: (chunk) => { out.push(chunk); }, onStderr: (chunk) => { err.push(chunk); } });
      return [code, Buffer.concat(out).toString(), Buffer.concat(err).toString()];
    };
    t.strictSame(await run('echo out; echo err >&2; exit 7'), [7, 'out\n', 'err\n']);
    t.strictSame(await run('cat; echo end', 'input\n'), [0, 'input\nend\n', '']);
    t.strictSame(await run('cat', Readable.from([Buffer.from('a'), Buffer.from('b')])), [0, 'ab', '']);
    t.strictSame(await run('cat'), [0, '', '']);
    t.strictSame(await run('false'), [1, '', '']);
    t.equal(await port.isRunning(), true);
  });

  await t.test('9: an abort lets go of a program', async (t) => {
    const port = engine.container(await start(t));
    const abort = new AbortController();
    const never = new Readable({ read() {} });
    await t.rejects(port.run({ argv: ['/bin/sh', '-c', 'echo started; cat'], stdin: never, signal: abort.signal, onStdout: () => abort.abort(new Error('enough')) }).finally(() => never.destroy()), { message: 'enough' })
      .catch(() => {});
    abort.abort(new Error('enough'));
    await t.rejects(port.run({ argv: ['/bin/sh', '-c', 'echo'], signal: abort.signal }), { message: 'enough' });
  });

  await t.test('10: in a container that is gone nothing works', async (t) => {
    const id = await start(t);
    const port = engine.container(id);
    await engine.removeContainer(id);
    t.equal(await port.isRunning(), false);
    await t.rejects(port.run({ argv: ['/bin/sh', '-c', 'echo'] }), { code: 'ConnectionLost' });
    await t.rejects(port.putArchive('/', tarOf({ x: 'x' })), { code: 'ConnectionLost' });
    await t.rejects(port.stat('/'), { code: 'ConnectionLost' });
    await t.rejects(engine.exportContainer(id), { code: 'DockerContainerNotFound' });
  });

  await t.test('11: archives go in and come out', async (t) => {
    const port = engine.container(await start(t));
    await port.putArchive('/', tarOf({ 'srv/in/one': 'one', 'srv/in/deep/two': 'two' }));
    await port.putArchive('/srv/in', tarOf({ one: 'changed' }));
    t.match(await port.stat('/srv/in'), { type: 'directory' });
    t.match(await port.stat('/srv/in/one'), { type: 'file', size: 7 });
    t.equal(await port.stat('/srv/none'), undefined);
    t.strictSame(await namesOf(await port.getArchive('/srv/in/one')), ['one']);
    t.strictSame((await namesOf(await port.getArchive('/srv/in/.'))).filter((name) => !name.endsWith('/')).filter((name) => /one|two/.test(name)).sort(), ['./deep/two', './one']);
    await t.rejects(port.putArchive('/no/such', tarOf({ x: 'x' })), { code: 'UploadFailed' });
    await t.rejects(port.getArchive('/no/such'), { code: 'DownloadFailed' });
  });

  await t.test('12: an import takes instructions, and refuses what is no tar', async (t) => {
    const id = await engine.importImage({ tarball: tarOf({ 'etc/x': 'x' }), changes: ['LABEL "dev.bake.run"="contract"', 'CMD ["/x"]'] });
    t.teardown(() => engine.removeImage(id));
    t.match(await engine.inspectImage(id), { config: { cmd: ['/x'], labels: { 'dev.bake.run': 'contract' } } });
    await t.rejects(engine.importImage({ tarball: Readable.from([Buffer.from('not a tar'.repeat(200))]), changes: [] }), { code: 'DockerImportFailed' });
  });

  await t.test('12: a Dockerfile makes an image with labels, or fails with its instruction', async (t) => {
    const lines: string[] = [];
    const layers = new LayerWatcher(() => {});
    const id = await engine.build({ context: tarOf({ Dockerfile: `FROM ${base}\nRUN echo hello ${unique('x')}\n` }), dockerfile: 'Dockerfile', labels: mark, onLine: (line) => { lines.push(line); layers.see(line); } });
    t.teardown(async () => { for (const image of [id, ...layers.made.toReversed()]) await engine.removeImage(image); });
    t.match((await engine.inspectImage(id))?.config.labels, mark);
    t.ok(lines.some((line) => line.startsWith('hello')), 'output comes line by line');
    await t.rejects(engine.build({ context: tarOf({ Dockerfile: `FROM ${base}\nRUN exit 7\n` }), dockerfile: 'Dockerfile', labels: mark }), { code: 'DockerBuildFailed', message: /RUN exit 7.*non-zero code: 7/ });
    await t.rejects(engine.build({ context: tarOf({ Dockerfile: `FROM ${base}\nOOPS\n` }), dockerfile: 'Dockerfile', labels: mark }), { code: 'DockerBuildFailed', message: /unknown instruction: OOPS/i });
  });

  await t.test('12: an image is saved and loaded under its name and id', async (t) => {
    const id = await commit(t, await start(t), { labels: { saved: 'yes' } });
    const name = unique('saved');
    await engine.tag(id, `${name}:1`);
    const archive = await buffer(await engine.save([`${name}:1`]));
    await engine.removeImage(id);
    await engine.load(Readable.from([archive]));
    t.match(await engine.inspectImage(`${name}:1`), { id, config: { labels: { saved: 'yes' } } });
    await t.rejects(engine.save([unique('none')]), { code: 'DockerImageNotFound' });
  });
}

function tarOf(files: Readonly<Record<string, string>>): Readable {
  const tar = pack();
  for (const [name, content] of Object.entries(files)) tar.entry({ name }, content);
  tar.finalize();
  return Readable.from(tar as AsyncIterable<Buffer>, { objectMode: false });
}

async function namesOf(tar: Readable): Promise<string[]> {
  const { extract } = await import('tar-stream');
  const names: string[] = [];
  const entries = extract();
  tar.pipe(entries);
  for await (const entry of entries) { names.push(entry.header.name); entry.resume(); }
  return names;
}
