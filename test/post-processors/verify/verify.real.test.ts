// Finished root trees and containers, tried out for real. Disk images: test/platforms/qemu.
import { readdirSync } from 'node:fs';
import t from 'tap';
import { busyboxImage } from '../../platforms/docker/busybox-image.js';
import { bake } from '../../support/bake-cli.js';
import { baseTarball } from '../../support/base-tarball.js';
import { leftovers } from '../../support/leftovers.js';
import { need } from '../../support/need.js';

t.test('a root tree: commands, scripts and outputs, and the tarball is the same before and after', async (t) => {
  if (!(await need(t, 'namespaces'))) return;
  const project = t.testdir({
    'check.sh': '#!/bin/sh\ntest -f /root/mark && echo "the script says $(cat /root/mark)"\n',
    'image.ts': `import { App, Image, Shell, Verify } from 'bake-sdk';
import { BootstrapSource } from 'bake-sdk/rootfs';
const image = new Image(new App(), 'Base');
new BootstrapSource(image, 'Rootfs', { tarball: '${await baseTarball()}', output: { path: 'base.tar' } });
new Shell(image, 'Mark', { inline: ['echo fine > /root/mark'] });
new Verify(image, 'Try', { checks: [
  { command: 'cat /root/mark', stdout: 'fine' }, { script: './check.sh', stdout: /says\\s+fine/ }, { command: 'ls /nowhere', exitCode: [1, 2], stderr: 'nowhere' },
  { command: 'echo changed > /root/mark' },
] });
`,
  });
  const { code, stdout, stderr } = await bake(project, ['run']);
  t.equal(code, 0, stderr);
  t.match(stdout + stderr, /ok: \.\/check\.sh/);
  t.match(stdout + stderr, /ok: the artifact is as it was/);
  t.same(leftovers(project), []);
});

t.test('all that is wrong is said at once, the build fails, and its artifact goes', async (t) => {
  if (!(await need(t, 'namespaces'))) return;
  const project = t.testdir({
    'image.ts': `import { App, Duration, Image, Verify } from 'bake-sdk';
import { BootstrapSource } from 'bake-sdk/rootfs';
const image = new Image(new App(), 'Base');
new BootstrapSource(image, 'Rootfs', { tarball: '${await baseTarball()}', output: { path: 'base.tar' } });
new Verify(image, 'Try', { checks: [
  { command: 'echo hello; exit 4' }, { command: 'echo hello', stdout: /bye/ }, { command: 'true' },
  { port: 1, within: Duration.milliseconds(100) }, { http: { port: 1 }, within: Duration.milliseconds(100) },
] });
`,
  });
  const { code, stderr } = await bake(project, ['run']);
  t.not(code, 0);
  t.match(stderr, /4 of 5 checks failed/);
  t.match(stderr, /it ended with 4, not 0/);
  t.match(stderr, /does not match \/bye\//);
  t.match(stderr, /nobody listens there/);
  t.notOk(readdirSync(project).includes('base.tar'));
  t.same(leftovers(project), []);
});

t.test('a container runs the image\'s own command, and its ports are reached from here', async (t) => {
  if (!(await need(t, 'docker'))) return;
  const project = t.testdir({
    'image.ts': `import { App, Image, Shell, Verify } from 'bake-sdk';
import { DockerSource } from 'bake-sdk/docker';
const image = new Image(new App(), 'Web');
new DockerSource(image, 'Docker', { image: '${await busyboxImage()}', changes: ['CMD ["busybox", "httpd", "-f", "-p", "8080", "-h", "/www"]', 'EXPOSE 8080'] });
new Shell(image, 'Page', { inline: ['mkdir -p /www', 'echo Baked > /www/index.html'] });
new Verify(image, 'Try', { checks: [{ http: { port: 8080, path: '/index.html', body: 'Baked' } }, { http: { port: 8080, path: '/missing', status: 404 } }, { port: 8080 }, { command: 'test -f /www/index.html' }] });
`,
  });
  const { code, stderr } = await bake(project, ['run']);
  t.equal(code, 0, stderr);
  t.same(leftovers(project), []);
});
