import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Artifact } from '../../../lib/core/artifact.js';
import { baseImageHandler } from '../../../lib/platforms/docker/engine/base-image.js';
import { DockerodeEngine } from '../../../lib/platforms/docker/engine/dockerode-engine.js';
import { pushHandler } from '../../../lib/platforms/docker/engine/push.js';
import { need } from '../../support/need.js';
import { registryUser, startRegistry } from './registry.js';
import { contextsOf } from './step-context.js';

const docker = (...args: string[]) => execFileSync('docker', args, { encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] }).trim();

if (await need(t, 'docker') && await need(t, 'registry')) {
  const engine = new DockerodeEngine();
  const context = contextsOf(t);
  const bases = baseImageHandler(engine);
  const push = pushHandler(engine);
  const open = await startRegistry();
  const closed = await startRegistry({ login: true });
  t.teardown(() => Promise.all([open.stop(), closed.stop()]));

  /** A small image with some content of its own, under a name. */
  const make = (t: Test, name: string): Artifact => {
    const folder = t.testdir({ data: randomBytes(300_000).toString('base64') });
    const id = execFileSync('sh', ['-c', `tar -cf - -C "$1" . | docker import - "$2"`, 'sh', folder, name], { encoding: 'utf8' }).trim();
    t.teardown(() => { try { docker('rmi', '-f', id); } catch { /* gone already */ } });
    return { type: 'docker.image', id, title: name, files: [], data: { repoTags: [name] } };
  };

  await t.test('push gives the digest and progress, and the image comes back by name and by digest', async (t) => {
    const name = `${open.host}/team/web:1`;
    const artifact = make(t, name);
    const ctx = context();
    const output = await push.run({ artifact: { ...artifact, data: { repoTags: [name] } } }, ctx);
    t.match(output, { digest: /^sha256:[0-9a-f]{64}$/, references: [`${open.host}/team/web@${output.digest}`], artifact: { id: artifact.id, data: { digest: output.digest } } });
    const last = ctx.bars.at(-1)!;
    t.ok(last.current > 300_000 && last.current === last.total, `${last.label}: ${last.current} of ${last.total}`);

    docker('rmi', '-f', artifact.id);
    const pullCtx = context();
    t.strictSame(await bases.run({ image: name }, pullCtx), { id: artifact.id, digest: output.digest, reference: name });
    t.ok(pullCtx.bars.length > 0);
    const again = context();
    await bases.run({ image: name, pull: 'missing' }, again);
    t.strictSame(again.lines, [], 'what is there is not asked for');
    await bases.run({ image: name, pull: 'always' }, again);
    t.strictSame(again.lines, [`pulling ${name}`]);

    docker('rmi', '-f', artifact.id);
    const byDigest = `${open.host}/team/web@${output.digest}`;
    t.match(await bases.run({ image: byDigest }, context()), { id: artifact.id, digest: output.digest });
    docker('rmi', '-f', artifact.id);
    await t.rejects(bases.run({ image: name, pull: 'never' }, context()), { code: 'DockerImageNotFound' });
    await t.rejects(bases.check!({ image: name, pull: 'never' }, context()), { code: 'DockerImageNotFound' });
  });

  await t.test('a pull that fails says what to look at', async (t) => {
    await t.rejects(bases.run({ image: `${open.host}/no/such:1` }, context()), { code: 'DockerPullFailed', hint: 'check the name and the tag' });
    await t.rejects(bases.run({ image: '127.0.0.1:1/no/such:1' }, context()), { code: 'DockerPullFailed', transient: true });
    await t.rejects(bases.run({ image: `sha256:${'0'.repeat(64)}` }, context()), { code: 'DockerPullFailed', hint: /an id cannot be pulled/ });
    await t.rejects(push.run({ artifact: { type: 'docker.image', id: 'x', title: '', files: [], data: {} } }, context()), { code: 'DockerNothingToPush' });
    await t.rejects(push.run({ artifact: { type: 'docker.image', id: 'x', title: '', files: [], data: { repoTags: [`${open.host}/none:1`] } } }, context()), { code: 'DockerImageNotFound' });
  });

  await t.test('a login is taken from the props, from config.json and from a credential helper', async (t) => {
    const name = `${closed.host}/private:1`;
    const artifact = make(t, name);
    const folder = t.testdir({
      none: { 'config.json': '{}' },
      file: { 'config.json': JSON.stringify({ auths: { [`https://${closed.host}/v1/`]: { auth: Buffer.from(`${registryUser.username}:${registryUser.password}`).toString('base64') } } }) },
      helper: { 'config.json': JSON.stringify({ credHelpers: { [closed.host]: 'bake-test' } }) },
      bin: { 'docker-credential-bake-test': `#!/bin/sh\nread -r server\n[ "$1 $server" = "get ${closed.host}" ] || { echo "credentials not found in native keychain"; exit 1; }\necho '{"ServerURL":"x","Username":"${registryUser.username}","Secret":"${registryUser.password}"}'\n` },
      broken: { 'config.json': 'oops' },
    });
    chmodSync(join(folder, 'bin/docker-credential-bake-test'), 0o755);
    const { DOCKER_CONFIG: config, PATH: path } = process.env;
    t.teardown(() => { if (config === undefined) delete process.env['DOCKER_CONFIG']; else process.env['DOCKER_CONFIG'] = config; process.env['PATH'] = path; });
    process.env['PATH'] = `${join(folder, 'bin')}:${path}`;

    process.env['DOCKER_CONFIG'] = join(folder, 'none');
    await t.rejects(push.run({ artifact }, context()), { code: 'DockerAuthFailed' });
    await t.rejects(push.run({ artifact, auth: { username: 'baker', password: 'wrong' } }, context()), { code: 'DockerAuthFailed' });
    await push.run({ artifact, auth: registryUser }, context());
    docker('rmi', '-f', artifact.id);
    await t.rejects(bases.run({ image: name }, context()), { code: 'DockerAuthFailed', hint: /docker login/ });
    t.match(await bases.run({ image: name, auth: registryUser }, context()), { id: artifact.id });

    for (const place of ['file', 'helper']) {
      process.env['DOCKER_CONFIG'] = join(folder, place);
      const ctx = context();
      t.match(await bases.run({ image: name, pull: 'always' }, ctx), { id: artifact.id }, place);
      t.strictSame(ctx.masked, [registryUser.password], `the password from the ${place} is masked`);
    }
    process.env['DOCKER_CONFIG'] = join(folder, 'broken');
    await t.rejects(bases.run({ image: name, pull: 'always' }, context()), { code: 'DockerConfigInvalid' });
  });

  await t.test('a login goes to its own registry only', async (t) => {
    const name = `${closed.host}/private:2`;
    const { DOCKER_CONFIG: config } = process.env;
    t.teardown(() => { if (config === undefined) delete process.env['DOCKER_CONFIG']; else process.env['DOCKER_CONFIG'] = config; });
    process.env['DOCKER_CONFIG'] = t.testdir({ 'config.json': '{}' });
    const artifact = make(t, name);
    // The closed registry would let this login in, so a refusal means that it was not sent there.
    await t.rejects(push.run({ artifact, auth: { ...registryUser, server: open.host } }, context()), { code: 'DockerAuthFailed' });
    docker('tag', artifact.id, `${open.host}/first:2`);
    await t.rejects(push.run({ artifact: { ...artifact, data: { repoTags: [`${open.host}/first:2`, name] } }, auth: registryUser }, context()), { code: 'DockerAuthFailed' });
    await push.run({ artifact: { ...artifact, data: { repoTags: [name, `${open.host}/first:2`] } }, auth: { ...registryUser, server: `https://${closed.host}/v2/` } }, context());
  });

  await t.test('a credential helper that is not installed is warned of, and what needs no login goes on', async (t) => {
    const name = `${open.host}/public:1`;
    const artifact = make(t, name);
    const { DOCKER_CONFIG: config } = process.env;
    t.teardown(() => { if (config === undefined) delete process.env['DOCKER_CONFIG']; else process.env['DOCKER_CONFIG'] = config; });
    process.env['DOCKER_CONFIG'] = t.testdir({ 'config.json': '{"credsStore":"bake-is-not-there"}' });
    const ctx = context();
    await push.run({ artifact }, ctx);
    t.match(ctx.warnings, [{ code: 'DockerCredentialHelper', message: /docker-credential-bake-is-not-there/ }]);
  });

  await t.test('an abort ends a pull', async (t) => {
    const abort = new AbortController();
    abort.abort(new Error('stop'));
    await t.rejects(bases.run({ image: `${open.host}/x:1`, pull: 'always' }, context({ signal: abort.signal })), { message: 'stop' });
  });
}
