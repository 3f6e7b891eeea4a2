// Whole builds while the way to EC2 is bad: each ends well or with a clear error, and leaves nothing.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DescribeImagesCommand } from '@aws-sdk/client-ec2';
import t from 'tap';
import { bake } from '../support/bake-cli.js';
import { type Chaos, startChaosProxy } from '../support/chaos-proxy.js';
import { ec2Client, ec2Leftovers } from '../support/ec2-leftovers.js';
import { startMoto } from '../support/moto.js';
import { need } from '../support/need.js';
import { startSshd } from '../support/sshd.js';

const bad: Chaos = { throttled: 0.05, failed: 0.05, lost: 0.05, unanswered: 0.05, slow: 0.05 };
/** Looks go well, so that there is something to lose. */
const worst: Chaos = { throttled: 0, failed: 0.3, lost: 0.15, unanswered: 0.35, slow: 0, only: /^(?!Describe|Get|List)/ };
const seeds: readonly (readonly [number, Chaos])[] = [...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((seed) => [seed, bad] as const), ...[11, 12, 13, 14, 15, 16].map((seed) => [seed, worst] as const)];

t.test('whatever happens to the calls', { timeout: 280_000 }, async (t) => {
  if (!(await need(t, 'moto')) || !(await need(t, 'sshd'))) return;
  const moto = await startMoto(t);
  const client = ec2Client(moto.url);
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  const folder = t.testdir({});
  let [good, failed, harm] = [0, 0, 0];
  const one = async ([seed, chaos]: readonly [number, Chaos]) => {
    const project = join(folder, String(seed));
    mkdirSync(project);
    writeFileSync(join(project, 'image.ts'), `import { App, Image, Shell } from 'bake-sdk';
import { AmiLookup, Ec2Source, HostKey } from 'bake-sdk/ec2';
const image = new Image(new App(), 'Web${seed}');
new Ec2Source(image, 'Ec2', {
  baseImage: AmiLookup.mostRecent({ owners: ['137112412989'], name: 'amzn-ami-hvm-*' }), userData: false, allowFrom: ['203.0.113.7/32'], amiName: 'web-${seed}',
  instanceProfile: { policy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }] } },
  ssh: { user: '${sshd.user}', host: '127.0.0.1', port: ${sshd.port}, privateKeyFile: '${sshd.privateKeyFile}', hostKey: HostKey.publicKey('${sshd.hostPublicKey}') },
});
new Shell(image, 'One', { inline: ['echo hello'] });
`);
    const proxy = await startChaosProxy(t, moto.url, { seed, chaos });
    const { code, stderr } = await bake(project, ['run'], { ...moto.env, AWS_ENDPOINT_URL: proxy.url });
    harm += proxy.done.length;
    const mine = async () => ((await client.send(new DescribeImagesCommand({ Owners: ['self'] }))).Images ?? []).filter(({ Name }) => Name === `web-${seed}`).length;
    if (code === 0) {
      good++;
      t.equal(await mine(), 1, `seed ${seed}`);
      return;
    }
    failed++;
    t.equal(code, /left behind/.test(stderr) ? 5 : 1, `seed ${seed}: ${stderr}`);
    t.match(stderr, /Ec2(Unavailable|Throttled|Refused|NotFound)/, `seed ${seed}: a clear error`);
    t.notMatch(stderr, /^ {4}at /m, `seed ${seed}: no stack`);
    if (/left behind/.test(stderr)) {
      const cleaned = await bake(project, ['clean'], moto.env);
      t.equal(cleaned.code, 0, `seed ${seed}: what it said was left can be removed: ${cleaned.stderr}`);
    }
    t.equal(await mine(), 0, `seed ${seed}`);
  };
  const queue = [...seeds];
  const worker = async () => { for (let next = queue.shift(); next !== undefined; next = queue.shift()) await one(next); };
  await Promise.all([worker(), worker(), worker()]);
  t.same(await ec2Leftovers(client), []);
  t.comment(`${good} builds ended well, ${failed} with an error; ${harm} calls were harmed`);
  t.ok(harm > 50 && good >= 5, `${good} of ${seeds.length}, ${harm}`);
});
