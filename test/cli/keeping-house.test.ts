import { execFileSync } from 'node:child_process';
import t from 'tap';
import { main } from '../../lib/cli/main.js';
import { formatOutputs } from '../../lib/cli/report/outputs-text.js';
import type { BuildOutputs } from '../../lib/toolkit/toolkit-api.js';
import { fakeIo } from './fake-io.js';

const day = 86_400_000;

t.test('prune says what is gone, what stays, and why nothing more goes', async (t) => {
  const io = fakeIo();
  io.timers.at = 10 * day;
  const checkpoint = { key: 'k', build: 'Web/Docker', title: 'x', platform: 'docker', project: '/p', at: 0 };
  io.fakeToolkit.pruned = {
    removed: [{ ...checkpoint, step: 'Web/Docker:Two', usedAt: 2 * day, bytes: 3 * 1024 ** 2 }, { ...checkpoint, step: 'Web/Docker:One', usedAt: 10 * day - 7_200_000, bytes: 1024 }],
    outcomes: [{ step: 'Web/Docker/Commit', build: 'Web/Docker', at: day }], rests: ['/cache/checkpoints/1.part'], problems: [], left: { count: 2, bytes: 4096, used: 1 }, limit: 1024 ** 3,
  };
  t.equal(await main(['prune', '--keep-storage', '1GB', '--older-than', '7d'], io), 0);
  t.match(io.fakeToolkit.calls, [{ method: 'prune', options: { project: '/project', keepStorage: 1024 ** 3, olderThan: 7 * day, dryRun: false } }]);
  t.equal(io.stdout.text, `removed (3 MiB):
  ✔ Web/Docker:Two  docker, 3 MiB, last used 8 days ago
  ✔ Web/Docker:One  docker, 1 KiB, last used 2h ago
  ✔ Web/Docker/Commit  known to be up to date, built 9 days ago
  ✔ /cache/checkpoints/1.part  left by a process that is gone
2 checkpoints left, 4 KiB (1 in use, limit 1 GiB)
`);
});

t.test('prune leaves the default to the toolkit, and fails if something could not go', async (t) => {
  const io = fakeIo();
  io.fakeToolkit.pruned = { ...io.fakeToolkit.pruned, problems: [{ title: 'what checkpoints keep on docker', reason: 'no daemon' }] };
  t.equal(await main(['prune', '-n'], io), 5);
  t.same(Object.keys(io.fakeToolkit.calls[0]!.options).sort(), ['dryRun', 'project', 'signal']);
  t.match(io.stdout.text, /nothing to remove[^]*could not be removed:\n.*docker {2}no daemon/);
});

t.test('a size or a time that is none is a mistake in that option', async (t) => {
  for (const [option, value] of [['--keep-storage', 'much'], ['--keep-storage', '5XB'], ['--older-than', '7 days']] as const) {
    const io = fakeIo();
    t.equal(await main(['prune', option, value], io), 2, `${option} ${value}`);
    t.match(io.stderr.text, `${option}: "${value}" is not a`);
    t.same(io.fakeToolkit.calls, []);
  }
});

t.test('images are listed with where they come from', async (t) => {
  const io = fakeIo();
  io.timers.at = day;
  const built = { image: 'Web', platform: 'docker', step: 's', isMain: true, files: [], parents: [], at: 0, milliseconds: 1_500, run: 'r1', isLatest: true };
  io.fakeToolkit.built = [
    { ...built, build: 'Web/Docker', type: 'docker.image', id: 'sha256:ab', title: 'image web:1', digest: `sha256:${'c'.repeat(64)}`, at: day - 3_600_000, holds: true, fingerprint: 'f'.repeat(64), commit: { id: 'd'.repeat(40), isDirty: true }, parents: [{ id: 'debian:12', digest: `sha256:${'e'.repeat(64)}` }, { build: 'Base/Root', id: 'x' }] },
    { ...built, build: 'Web/Root', type: 'rootfs.tarball', id: '/project/out.tar', title: 'root tree in /project/out.tar', size: 2048, holds: false, isLatest: false },
    { ...built, build: 'Web/Far', type: 'cloud.image', id: 'x', title: '\u001b[31mx' },
  ];
  t.equal(await main(['images', 'Web'], io), 0);
  t.match(io.fakeToolkit.calls, [{ method: 'images', options: { project: '/project', selectors: ['Web'] } }]);
  t.equal(io.stdout.text, `✔ Web/Docker on docker  latest
    image web:1  docker.image, built 1h ago in 1.5s
    from debian:12@eeeeeeeeeeee, Base/Root, commit dddddddddddd with changes, digest cccccccccccc, fingerprint ffffffffffff
✖ Web/Root on docker  gone
    root tree in out.tar  rootfs.tarball, 2 KiB, built 24h ago in 1.5s
? Web/Far on docker  not known whether it is there
    x  cloud.image, built 24h ago in 1.5s
`);
});

const artifact = { name: 'Commit', isMain: true, type: 'docker.image', id: 'sha256:ab', title: 'image', files: [] };
const made = (build: string, ...artifacts: BuildOutputs['artifacts']): BuildOutputs => ({ build, run: 'r1', at: 0, artifacts });

t.test('outputs have names that say whose they are', async (t) => {
  const builds = [
    made('Web/Docker', { ...artifact, digest: 'sha256:cd' }, { ...artifact, name: 'Save', isMain: false, type: 'docker.archive', id: '/out/web.tar', files: [{ path: '/out/web.tar', size: 1 }] }),
    made('2nd-image/Null', { ...artifact, type: 'none', id: '' }),
  ];
  t.equal(formatOutputs(builds, 'env'), `BAKE_WEB_DOCKER_ID=sha256:ab
BAKE_WEB_DOCKER_TYPE=docker.image
BAKE_WEB_DOCKER_DIGEST=sha256:cd
BAKE_WEB_DOCKER_SAVE_ID=/out/web.tar
BAKE_WEB_DOCKER_SAVE_TYPE=docker.archive
BAKE_WEB_DOCKER_SAVE_PATH=/out/web.tar
`);
  t.match(formatOutputs([made('2nd-image/Null', artifact)], 'tfvars'), /^_2nd_image_null_id = "sha256:ab"\n/);
  t.match(JSON.parse(formatOutputs(builds, 'json')), { 'Web/Docker': { id: 'sha256:ab', run: 'r1', at: '1970-01-01T00:00:00.000Z', artifacts: [{}, {}] } });
  const everywhere = [made('Web/Ec2', { ...artifact, type: 'ec2.ami', id: 'eu-west-1:ami-1,us-east-1:ami-2', imageId: 'ami-1', regions: { 'eu-west-1': 'ami-1', 'us-east-1': 'ami-2' } })];
  t.match(formatOutputs(everywhere, 'tfvars'), `web_ec2_image_id = "ami-1"
web_ec2_regions = {
  "eu-west-1" = "ami-1"
  "us-east-1" = "ami-2"
}
`);
  t.match(formatOutputs(everywhere, 'env'), "BAKE_WEB_EC2_REGIONS_EU_WEST_1=ami-1\nBAKE_WEB_EC2_REGIONS_US_EAST_1=ami-2\n");
  t.match(JSON.parse(formatOutputs(everywhere, 'json')), { 'Web/Ec2': { regions: { 'eu-west-1': 'ami-1' } } });
  t.throws(() => formatOutputs([made('Web/A-B', artifact), made('Web/A_B', artifact)], 'env'), { code: 'AmbiguousName', message: '"Web/A-B" and "Web/A_B" would both be "web_a_b_id"' });
});

t.test('whatever is in a value, it is a value', async (t) => {
  const odd = `a'b"c $(touch /tmp/x) \${var.x} %{if} \\ \n\t\u0007ü`;
  const env = formatOutputs([made('W/D', { ...artifact, id: odd })], 'env');
  t.equal(execFileSync('sh', ['-c', `${env}printf %s "$BAKE_W_D_ID"`], { encoding: 'utf8' }), odd);
  const tfvars = formatOutputs([made('W/D', { ...artifact, id: odd })], 'tfvars');
  t.equal(tfvars.split('\n')[0], String.raw`w_d_id = "a'b\"c $(touch /tmp/x) $${"$"}{var.x} %%{if} \\ \n\t\u0007ü"`);
});

t.test('the format is one of three', async (t) => {
  const io = fakeIo();
  t.equal(await main(['outputs', '--format', 'tfvar'], io), 2);
  t.match(io.stderr.text, /did you mean "tfvars"\?/);
  io.fakeToolkit.made = [made('Web/Docker', artifact)];
  t.equal(await main(['outputs', 'Web/Docker', '--format', 'env'], io), 0);
  t.equal(io.stdout.text, 'BAKE_WEB_DOCKER_ID=sha256:ab\nBAKE_WEB_DOCKER_TYPE=docker.image\n');
});
