import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import t from 'tap';
import { need } from '../support/need.js';

const run = promisify(execFile);

t.test('npm run quickstart bakes nginx with a page, and the page is served', async (t) => {
  if (!(await need(t, 'docker')) || !(await need(t, 'mmdebstrap'))) return;
  const { stdout } = await run('bash', ['examples/quickstart/quickstart.sh'], { maxBuffer: 64 * 1024 * 1024 });
  t.match(stdout, /docker run/);
  const { stdout: id } = await run('docker', ['run', '-d', 'bake-quickstart']);
  t.teardown(() => run('docker', ['rm', '-f', id.trim()]));
  const { stdout: page } = await run('docker', ['exec', id.trim(), 'bash', '-c', 'for i in $(seq 100); do exec 3<>/dev/tcp/127.0.0.1/80 && break; sleep 0.1; done; printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3; cat <&3']);
  t.match(page, /<h1>Baked\.<\/h1>/);
  const manifest = JSON.parse(readFileSync('examples/quickstart/bake-manifest.json', 'utf8')) as { builds: { builder_type: string }[] };
  t.ok(manifest.builds.some((build) => build.builder_type === 'docker') && manifest.builds.some((build) => build.builder_type === 'rootfs'));
  await run('skopeo', ['inspect', 'oci:examples/quickstart/bake.artifacts/Web-Rootfs.oci']);
});
