import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import t from 'tap';
import { need } from '../support/need.js';

const run = promisify(execFile);

t.test('npm run quickstart bakes one class for rootfs, Docker and QEMU, and the page is served', { timeout: 900_000 }, async (t) => {
  if (!(await need(t, 'docker')) || !(await need(t, 'mmdebstrap')) || !(await need(t, 'qemu'))) return;
  const { stdout, stderr } = await run('bash', ['examples/multi-platform/quickstart.sh'], { maxBuffer: 64 * 1024 * 1024 })
    .catch(({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }) => { throw new Error(`${stdout}${stderr}`.split('\n').slice(-60).join('\n')); });
  const all = stdout + stderr;
  t.match(stdout, /docker run/);
  t.equal(all.match(/ok: http 80\//g)?.length, 2, 'Docker and QEMU serve their page');
  t.equal(all.match(/ok: nginx -t/g)?.length, 3);
  const { stdout: id } = await run('docker', ['run', '-d', 'bake-quickstart']);
  t.teardown(() => run('docker', ['rm', '-f', id.trim()]));
  const { stdout: page } = await run('docker', ['exec', id.trim(), 'bash', '-c', 'for i in $(seq 100); do exec 3<>/dev/tcp/127.0.0.1/80 && break; sleep 0.1; done; printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3; cat <&3']);
  t.match(page, /<h1>Baked\.<\/h1>/);
  const manifest = JSON.parse(readFileSync('examples/multi-platform/bake-manifest.json', 'utf8')) as { builds: { builder_type: string }[] };
  for (const platform of ['docker', 'rootfs', 'qemu']) t.ok(manifest.builds.some((build) => build.builder_type === platform), platform);
  await run('skopeo', ['inspect', 'oci:examples/multi-platform/bake.artifacts/Web-Rootfs.oci']);
});
