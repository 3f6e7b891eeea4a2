import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { pack } from 'tar-stream';
import { buffer } from 'node:stream/consumers';
import type { Artifact } from '../../../lib/core/artifact.js';
import type { JsonObject } from '../../../lib/core/json.js';
import type { ResourceHandler } from '../../../lib/engine/handler.js';
import { baseImageHandler } from '../../../lib/platforms/docker/engine/base-image.js';
import { containerHandler } from '../../../lib/platforms/docker/engine/container.js';
import { dockerfileImageHandler } from '../../../lib/platforms/docker/engine/dockerfile-image.js';
import { FakeDockerEngine } from '../../../lib/platforms/docker/engine/fake-docker-engine.js';
import { imageHandler } from '../../../lib/platforms/docker/engine/image.js';
import { importHandler } from '../../../lib/platforms/docker/engine/import.js';
import { importedImageHandler } from '../../../lib/platforms/docker/engine/imported-image.js';
import { pushHandler } from '../../../lib/platforms/docker/engine/push.js';
import { saveHandler } from '../../../lib/platforms/docker/engine/save.js';
import { tagHandler } from '../../../lib/platforms/docker/engine/tag.js';
import { contextsOf } from './step-context.js';

const image = (id: string, repoTags: readonly string[] = []): Artifact => ({ type: 'docker.image', id, title: '', files: [], data: { repoTags } });

/** A world with a base image and one with that name taken already. */
async function world(t: Test) {
  let calls = 0;
  let failAt = Infinity;
  const die = () => { if (++calls === failAt) throw new Error('power cut'); };
  const engine = new FakeDockerEngine({ onCall: die, onDone: die });
  engine.addImage('debian:12');
  engine.addImage('web:1');
  const context = contextsOf(t);
  const project = context().run.project;
  const tar = pack();
  tar.entry({ name: 'etc/x' }, 'x');
  tar.finalize();
  const root = join(project, 'root.tar');
  await writeFile(root, await buffer(tar as AsyncIterable<Uint8Array>));
  const folder = t.testdir({ Dockerfile: 'FROM debian:12\nRUN echo hello\n' });
  return {
    engine, context, root, folder,
    /** Counts the calls of what follows; the n-th dies. */
    cutAt: (n: number) => { calls = 0; failAt = n; },
    get calls() { return calls; },
  };
}

type World = Awaited<ReturnType<typeof world>>;
type Case = (world: World) => Promise<{ handler: ResourceHandler<never, JsonObject>; spec: object }>;

const cases: Readonly<Record<string, Case>> = {
  'docker.container': async ({ engine }) => ({ handler: containerHandler(engine), spec: { image: 'debian:12' } }),
  'docker.image': async ({ engine }) => {
    const id = await engine.createContainer({ name: 'machine', image: 'debian:12', argv: ['/bin/sh'], labels: {} });
    return { handler: imageHandler(engine), spec: { container: id, tags: ['web:1', 'web:2'] } };
  },
  'docker.tag': async ({ engine }) => ({ handler: tagHandler(engine), spec: { artifact: image((await engine.inspectImage('debian:12'))!.id), tags: ['web:1', 'web:3'] } }),
  'docker.import': async ({ engine, root }) => ({ handler: importHandler(engine), spec: { artifact: { type: 'rootfs.tarball', id: root, title: '', files: [], data: {} }, repository: 'web', tag: '1' } }),
  'docker.imported-image': async ({ engine, root }) => ({ handler: importedImageHandler(engine), spec: { import: root } }),
  'docker.imported-image from an archive': async ({ engine, context }) => {
    const id = engine.addImage('web:9');
    const saved = await saveHandler(engine).acquire({ artifact: image(id, ['web:9']), path: 'web.tar' }, context());
    await engine.removeImage(id);
    engine.addImage('web:9'); // somebody else's by now
    return { handler: importedImageHandler(engine), spec: { artifact: saved['artifact'] } };
  },
  'docker.dockerfile-image': async ({ engine, folder }) => {
    const asset = (path: string, type: 'file' | 'directory') => ({ path, type, name: 'x', size: 0, digest: 'x' });
    return { handler: dockerfileImageHandler(engine), spec: { dockerfile: asset(join(folder, 'Dockerfile'), 'file'), context: asset(folder, 'directory'), dockerfileName: 'Dockerfile' } };
  },
};

/** Everything that exists, with which image has which name. */
async function snapshot(engine: FakeDockerEngine): Promise<unknown> {
  const names = ['debian:12', 'web:1', 'web:2', 'web:3', 'web:9'];
  return { ...engine.world, names: await Promise.all(names.map(async (name) => [name, (await engine.inspectImage(name))?.id])) };
}

for (const [name, make] of Object.entries(cases)) {
  t.test(`${name}: wherever it is cut off, what it made is found and removed`, async (t) => {
    for (let cut = 1, isOver = false; !isOver; cut++) {
      const here = await world(t);
      const { handler, spec } = await make(here);
      const before = await snapshot(here.engine);
      const token = `run-${cut}`;
      here.cutAt(cut);
      await handler.acquire(spec as never, here.context({ token })).catch(() => {});
      isOver = here.calls < cut;
      here.cutAt(Infinity);
      // Another process: it has the journal's token and the dead run's folder, and no more.
      const ctx = here.context({ token });
      const found = await handler.find(token, spec as never, ctx);
      if (found !== undefined) await handler.release(JSON.parse(JSON.stringify(found)) as never, ctx);
      t.strictSame(await snapshot(here.engine), before, `call ${cut}`);
      if (found !== undefined) await handler.release(found as never, ctx);
      t.equal(await handler.find(token, spec as never, ctx).then((left) => left === undefined || name === 'docker.tag'), true);
    }
  });
}

t.test('a pull asks as its policy says', async (t) => {
  const asked: string[] = [];
  const engine = new FakeDockerEngine({ onCall: (call) => { if (call === 'pull') asked.push(call); } });
  engine.publish('localhost:5000/web:1');
  const bases = baseImageHandler(engine);
  const context = contextsOf(t);
  const reference = 'localhost:5000/web:1';
  const first = await bases.run({ image: reference }, context());
  t.match(first, { reference, digest: /^sha256:/ });
  await bases.run({ image: reference }, context());
  t.equal(asked.length, 1);
  await bases.run({ image: reference, pull: 'always' }, context());
  t.equal(asked.length, 2);
  await bases.run({ image: reference, platform: 'linux/arm64' }, context());
  t.equal(asked.length, 3, 'an image of another platform is not the one asked for');
  await t.rejects(bases.run({ image: 'localhost:5000/none', pull: 'never' }, context()), { code: 'DockerImageNotFound' });
  await t.rejects(bases.run({ image: 'localhost:5000/none' }, context()), { code: 'DockerPullFailed' });
});

t.test('a push without a login says so, and with one goes to every name', async (t) => {
  const logins = { 'localhost:5000': { username: 'baker', password: 'oven' } };
  const engine = new FakeDockerEngine({ logins });
  const id = engine.addImage('localhost:5000/web:1');
  await engine.tag(id, 'localhost:5000/web:2');
  const artifact = image(id, ['localhost:5000/web:1', 'localhost:5000/web:2']);
  const push = pushHandler(engine);
  const context = contextsOf(t);
  await t.rejects(push.run({ artifact }, context()), { code: 'DockerAuthFailed' });
  const ctx = context();
  t.match(await push.run({ artifact, auth: logins['localhost:5000'] }, ctx), { digest: /^sha256:/, references: [/^localhost:5000\/web@sha256:/, /^localhost:5000\/web@sha256:/] });
  t.strictSame(ctx.lines, ['pushing localhost:5000/web:1', 'pushing localhost:5000/web:2']);
});
