import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { sha256 } from '../../../lib/core/json.js';
import { directoryHandler } from '../../../lib/platforms/rootfs/engine/directory-handler.js';
import { linuxRootfs as port } from '../../../lib/platforms/rootfs/engine/linux/linux-rootfs.js';
import { ociHandler } from '../../../lib/platforms/rootfs/engine/oci-handler.js';
import { tarballHandler } from '../../../lib/platforms/rootfs/engine/tarball-handler.js';
import { treeHandler } from '../../../lib/platforms/rootfs/engine/tree-handler.js';
import { baseTarball } from '../../support/base-tarball.js';
import { need } from '../../support/need.js';
import { clampTime, projectFor, sealedTree } from './sealed-tree.js';
import { stepContext } from './step-context.js';
import { writeTar } from './write-tar.js';

const run = promisify(execFile);
/** A tree with nothing but a shell that is none, and some megabytes to compress. */
async function tinyTarball(project: string): Promise<string> {
  const path = join(project, 'tiny.tar');
  const numbers = Array.from({ length: 500_000 }, (_, index) => (index * 7_919) % 104_729).join(' ');
  await writeFile(path, await writeTar([{ name: './bin/sh', mode: 0o755, content: 'shell' }, { name: './srv/numbers', content: numbers }]));
  return path;
}

t.test('a tree as an OCI layout', async (t) => {
  if (!(await need(t, 'namespaces')) || !(await need(t, 'mmdebstrap'))) return;
  const project = await projectFor(t);
  const tree = await sealedTree(t, project, 'oci', { tarball: await baseTarball() }, ['echo hello > /etc/greeting', 'mkdir -m 700 /srv/closed && chown 33:33 /srv/closed']);
  const spec = {
    tree, path: 'image.oci', clampTime, architecture: 'amd64', tag: 'web:1.2', entrypoint: ['/bin/sh', '-c'], cmd: ['cat /etc/greeting'], env: { MODE: 'production' },
    exposedPorts: [80, '53/udp'], labels: { maintainer: 'Grün & Co' }, workdir: '/srv', user: 'www-data', volumes: ['/data'], stopSignal: 'SIGQUIT', tags: { team: 'web' },
  };
  const ctx = stepContext({ project, name: 'oci output' });
  const { artifact, path } = await ociHandler(port).acquire(spec, ctx);
  const json = async (name: string) => JSON.parse(await readFile(join(path, name), 'utf8'));
  const blobOf = (digest: string) => `blobs/sha256/${digest.slice('sha256:'.length)}`;

  await t.test('has the structure that the specification asks for', async (t) => {
    t.same(await json('oci-layout'), { imageLayoutVersion: '1.0.0' });
    const index = await json('index.json');
    t.match(index, { schemaVersion: 2, manifests: [{ mediaType: 'application/vnd.oci.image.manifest.v1+json', annotations: { 'org.opencontainers.image.ref.name': 'web:1.2' } }] });
    const manifest = await json(blobOf(index.manifests[0].digest));
    t.match(manifest, { schemaVersion: 2, layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip' }], annotations: { team: 'web' } });
    for (const { digest, size } of [index.manifests[0], manifest.config, ...manifest.layers]) {
      const bytes = await readFile(join(path, blobOf(digest)));
      t.equal(`sha256:${sha256(bytes)}`, digest);
      t.equal(bytes.length, size);
    }
    const config = await json(blobOf(manifest.config.digest));
    t.match(config, {
      created: '2020-09-13T12:26:40Z', architecture: 'amd64', os: 'linux',
      config: {
        Entrypoint: ['/bin/sh', '-c'], Cmd: ['cat /etc/greeting'], WorkingDir: '/srv', User: 'www-data', StopSignal: 'SIGQUIT', Env: [/^PATH=/, 'MODE=production'],
        ExposedPorts: { '80/tcp': {}, '53/udp': {} }, Volumes: { '/data': {} }, Labels: { maintainer: 'Grün & Co', team: 'web' },
      },
    });
    const { stdout } = await run('sh', ['-c', `gzip -dc ${join(path, blobOf(manifest.layers[0].digest))} | sha256sum`]);
    t.equal(config.rootfs.diff_ids[0], `sha256:${stdout.slice(0, 64)}`);
    t.match(artifact, { type: 'rootfs.oci', id: path, data: { digest: index.manifests[0].digest } });
    for (const file of artifact.files) t.equal((await stat(file.path)).size, file.size, file.path);
  });

  await t.test('is the same when made again', async (t) => {
    const again = await ociHandler(port).acquire({ ...spec, path: 'again.oci' }, stepContext({ project, name: 'again' }));
    t.equal(again.artifact.data['digest'], artifact.data['digest']);
  });

  await t.test('is read by others: skopeo and umoci', async (t) => {
    if (!(await need(t, 'skopeo')) || !(await need(t, 'umoci'))) return;
    const { stdout } = await run('skopeo', ['inspect', '--config', `oci:${path}:web:1.2`]);
    t.match(JSON.parse(stdout), { architecture: 'amd64', config: { Cmd: ['cat /etc/greeting'] } });
    await run('skopeo', ['copy', `oci:${path}:web:1.2`, `oci:${join(project, 'copied')}:copy`]);
    await run('umoci', ['unpack', '--image', `${join(project, 'copied')}:copy`, join(project, 'bundle'), ...(process.getuid?.() === 0 ? [] : ['--rootless'])]);
    t.equal(await readFile(join(project, 'bundle/rootfs/etc/greeting'), 'utf8'), 'hello\n');
    if (process.getuid?.() === 0) t.match(await stat(join(project, 'bundle/rootfs/srv/closed')), { uid: 33, gid: 33 });
  });
});

t.test('a tree in other forms', async (t) => {
  if (!(await need(t, 'namespaces')) || !(await need(t, 'mmdebstrap'))) return;
  const project = await projectFor(t);
  const tree = await sealedTree(t, project, 'forms', { tarball: await baseTarball() }, ['echo hello > /etc/greeting']);

  await t.test('a folder has its owners, and its new files the clamped time', async (t) => {
    const { path, artifact } = await directoryHandler(port).acquire({ tree, path: 'folder', clampTime }, stepContext({ project, name: 'folder' }));
    t.match(artifact, { type: 'rootfs.directory', id: path });
    t.equal((await stat(join(path, 'etc/greeting'))).mtimeMs / 1000, clampTime);
    t.equal((await stat(join(path, 'etc'))).mtimeMs / 1000, clampTime);
    t.equal((await stat(join(path, 'tmp'))).mode & 0o7777, 0o1777);
  });

  const tiny = await sealedTree(t, project, 'tiny', { tarball: await tinyTarball(project) }, []);
  for (const [compression, test] of [['gzip', ['gzip', '-t']], ['zstd', ['zstd', '-q', '-t']], ['xz', ['xz', '-t']]] as const) {
    await t.test(`a tarball with ${compression} is the same twice, and whole`, async (t) => {
      const sums = [];
      for (const turn of [1, 2]) {
        const { path } = await tarballHandler(port).acquire({ tree: tiny, path: `${turn}.${compression}`, clampTime, compression }, stepContext({ project, name: `${compression} ${turn}` }));
        sums.push(sha256(await readFile(path)));
        await t.resolves(run(test[0], [...test.slice(1), ...(compression === 'gzip' ? ['-S', '.gzip'] : compression === 'xz' ? ['--format=xz', '-S', '.xz'] : []), path]));
      }
      t.equal(sums[0], sums[1]);
    });
  }

  await t.test('a full disk is said to be full, and leaves no half file', async (t) => {
    if (!(await need(t, 'root'))) return;
    const small = await mkdtemp(join(tmpdir(), 'bake-small-'));
    await run('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'small', small]);
    t.teardown(async () => { await run('umount', [small]); await rm(small, { recursive: true }); });
    const ctx = stepContext({ project, name: 'small' });
    const spec = { tree, path: join(small, 'out.tar'), clampTime };
    await t.rejects(tarballHandler(port).acquire(spec, ctx), { code: 'DiskFull' });
    await tarballHandler(port).release((await tarballHandler(port).find(ctx.token, spec, ctx))!, ctx);
    const oci = { ...spec, path: join(small, 'out.oci') };
    await t.rejects(ociHandler(port).acquire(oci, ctx), { code: 'DiskFull' });
    await ociHandler(port).release((await ociHandler(port).find(ctx.token, oci, ctx))!, ctx);
    const inner = stepContext({ project: small, name: 'tree' });
    const base = { tarball: await baseTarball(), clampTime };
    await t.rejects(treeHandler(port).acquire(base, inner), { code: 'DiskFull' });
    await treeHandler(port).release((await treeHandler(port).find(inner.token, base, inner))!, inner);
    t.same((await run('find', [small, '-mindepth', '1', '-not', '-path', '*/.bake*'])).stdout, '');
  });
});
