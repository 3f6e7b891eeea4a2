// Whole builds on an EC2 that is not ours (moto), in a machine that is a real sshd.
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeImagesCommand, DescribeInstancesCommand, DescribeSnapshotsCommand, TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import t, { type Test } from 'tap';
import { bake, startBake } from '../support/bake-cli.js';
import { startChaosProxy } from '../support/chaos-proxy.js';
import { startCloudMachine } from '../support/cloud-machine.js';
import { ec2Client, ec2Leftovers } from '../support/ec2-leftovers.js';
import { type Moto, startMoto } from '../support/moto.js';
import { need } from '../support/need.js';
import { startSshd } from '../support/sshd.js';

const lookup = "AmiLookup.mostRecent({ owners: ['137112412989'], name: 'amzn-ami-hvm-*' })";

/** A project with a source that reaches this computer's own sshd, which the tests let in as if it were the instance. */
async function projectOn(t: Test, { props = '', baseImage = lookup, steps = "new Shell(image, 'One', { inline: ['echo hello'] });" }: { readonly props?: string; readonly baseImage?: string; readonly steps?: string } = {}): Promise<string> {
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  return t.testdir({ 'image.ts': `import { App, Image, Shell, Size, Tags } from 'bake-sdk';
import { Ami, AmiLookup, Ec2Source, HostKey } from 'bake-sdk/ec2';
const image = new Image(new App(), 'Web');
const source = { baseImage: ${baseImage}, userData: false, allowFrom: ['203.0.113.7/32'],
  ssh: { user: '${sshd.user}', host: '127.0.0.1', port: ${sshd.port}, privateKeyFile: '${sshd.privateKeyFile}', hostKey: HostKey.publicKey('${sshd.hostPublicKey}') } } as const;
new Ec2Source(image, 'Ec2', { ...source, ${props} });
${steps}
` });
}

const pinsOf = (project: string) => JSON.parse(readFileSync(join(project, 'bake.lock.json'), 'utf8')) as Record<string, { readonly id: string }>;

t.test('Amazon EC2', { timeout: 300_000 }, async (t) => {
  if (!(await need(t, 'moto')) || !(await need(t, 'sshd'))) return;
  const moto: Moto = await startMoto(t);
  const client = ec2Client(moto.url);
  const run = (project: string, ...more: readonly string[]) => bake(project, ['run', ...more], moto.env);
  const images = async () => (await client.send(new DescribeImagesCommand({ Owners: ['self'] }))).Images ?? [];

  await t.test('an image with its tags, and nothing else stays; then it is up to date', async (t) => {
    const project = await projectOn(t, { props: "amiName: 'web-1', amiDescription: 'a web server', snapshotTags: { kind: 'root' }, blockDevices: [{ deviceName: '/dev/xvda', size: Size.gibibytes(12), encrypted: true }]", steps: "Tags.of(image).add('team', 'web');\nnew Shell(image, 'One', { inline: ['echo hello'] });" });
    const first = await run(project);
    t.equal(first.code, 0, first.stderr);
    const [image] = await images();
    const tags = (list: readonly { Key?: string; Value?: string }[] = []) => Object.fromEntries(list.map(({ Key, Value }) => [Key, Value]));
    t.match(image, { Name: 'web-1', Description: 'a web server' });
    t.match(tags(image?.Tags), { 'Name': 'web-1', 'team': 'web', 'bake:state': 'finished', 'bake:run': /^\d{8}t/ });
    const { Snapshots: [snapshot] = [] } = await client.send(new DescribeSnapshotsCommand({ SnapshotIds: [image!.BlockDeviceMappings![0]!.Ebs!.SnapshotId!] }));
    t.match(tags(snapshot?.Tags), { team: 'web', kind: 'root' });
    t.match(first.stdout, new RegExp(`${image!.ImageId} in eu-west-1`));
    t.same(await ec2Leftovers(client), []);

    const { Reservations = [] } = await client.send(new DescribeInstancesCommand({}));
    t.match(Reservations[0]?.Instances?.[0], { InstanceType: 't3.small', MetadataOptions: { HttpTokens: 'required' }, State: { Name: 'terminated' } });

    t.match(await run(project), { code: 0, stderr: /up to date/ });
    const [what, pin] = Object.entries(pinsOf(project))[0]!;
    t.match(what, /^ami eu-west-1 137112412989 amzn-ami-hvm-\* x86_64$/);
    t.match(pin.id, /^ami-/);
    t.match(await run(project, '--frozen', '--update'), { code: 2 });
    t.match(await run(project, '--frozen'), { code: 0 });

    writeFileSync(join(project, 'image.ts'), readFileSync(join(project, 'image.ts'), 'utf8').replace('echo hello', 'echo changed'));
    t.match(await run(project), { code: 1, stderr: new RegExp(`AmiNameTaken[\\s\\S]*${image!.ImageId}[\\s\\S]*forceDeregister`) });
    t.same(await ec2Leftovers(client), []);
    t.equal((await run(project, '--force')).code, 0);
    const after = await images();
    t.equal(after.length, 1);
    t.not(after[0]?.ImageId, image?.ImageId, 'the old one was replaced');
    t.same(await ec2Leftovers(client), []);
  });

  await t.test('cloud-init lets bake in over a host key that it knows, and nothing of that is in the image', async (t) => {
    if (!(await need(t, 'docker'))) return;
    await moto.reset();
    const machine = await startCloudMachine(t, client);
    const project = t.testdir({ 'image.ts': `import { App, Image, Shell } from 'bake-sdk';
import { AmiLookup, Ec2Source } from 'bake-sdk/ec2';
const image = new Image(new App(), 'Web');
new Ec2Source(image, 'Ec2', { baseImage: ${lookup}, allowFrom: ['203.0.113.7/32'], ssh: { user: 'admin', host: '127.0.0.1', port: ${machine.port} } });
new Shell(image, 'Who', { inline: ['echo "I am $(whoami)"', 'sudo true'] });
` });
    const { code, stderr } = await run(project);
    t.equal(code, 0, stderr);
    t.match(stderr, 'I am admin');
    t.match(machine.userData(), /"shutdown",\s+"-P",\s+"\+720"/, 'the second net');
    t.equal(machine.run('cat /etc/machine-id; ls /etc/ssh/ssh_host_* /home/admin/.ssh/authorized_keys 2> /dev/null || true'), '');
    const key = /"ed25519_private": "((?:[^"\\]|\\.)*)"/.exec(machine.userData()!)![1]!.split('\\n')[2]!;
    for (const file of readdirSync(join(project, '.bake/runs'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.jsonl'))) t.notMatch(readFileSync(join(project, '.bake/runs', file), 'utf8'), key, file);
    t.same(await ec2Leftovers(client), []);
  });

  await t.test('a network found by filters, a key pair of EC2 for the time of the run, and what else a machine may be', async (t) => {
    if (!(await need(t, 'docker'))) return;
    await moto.reset();
    const machine = await startCloudMachine(t, client);
    const project = t.testdir({ 'image.ts': `import { App, Duration, Image, Shell } from 'bake-sdk';
import { AmiLookup, Ec2Source } from 'bake-sdk/ec2';
const image = new Image(new App(), 'Web');
new Ec2Source(image, 'Ec2', {
  baseImage: ${lookup}, vpcFilter: { 'is-default': 'true' }, availabilityZone: ['eu-west-1b', 'eu-west-1c'], allowFrom: ['203.0.113.7/32'],
  keyPair: 'temporary', assumeRole: { arn: 'arn:aws:iam::123456789012:role/builder', sessionName: 'tests', externalId: 'from-tests', duration: Duration.minutes(20) },
  instanceProfile: { policy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }] } }, placement: { group: 'builders' }, cpuCredits: 'unlimited', ipv6: true, nitroEnclave: true, stop: false, ssh: { user: 'admin', host: '127.0.0.1', port: ${machine.port} },
});
new Shell(image, 'Who', { inline: ['echo "I am $(whoami)"'] });
` });
    const { code, stderr } = await run(project);
    t.equal(code, 0, stderr);
    t.match(stderr, /vpc-[0-9a-f]+, subnet-[0-9a-f]+ in eu-west-1[bc], subnet-[0-9a-f]+ in eu-west-1[bc]/);
    t.match(stderr, /✔ removed: temporary instance profile/);
    const { Reservations = [] } = await client.send(new DescribeInstancesCommand({}));
    t.match(Reservations[0]?.Instances?.[0], { KeyName: /^bake-/, SubnetId: /^subnet-/, Placement: { AvailabilityZone: /eu-west-1[bc]/ } });
    t.same(await ec2Leftovers(client), []);
  });

  await t.test('EC2 Instance Connect gives the run\'s key to a machine without cloud-init, and nothing of it stays', async (t) => {
    await moto.reset();
    const sshd = await startSshd();
    t.teardown(() => sshd.stop());
    const keys = join(sshd.folder, 'authorized_keys');
    const own = join(sshd.folder, 'home/.ssh/authorized_keys');
    let sent = 0;
    // What the agent of an image does, which moto has no machine for.
    const agent = await startChaosProxy(t, moto.url, { onCall: (action, body) => {
      if (action !== 'SendSSHPublicKey') return;
      sent++;
      appendFileSync(keys, `${(JSON.parse(body) as { readonly SSHPublicKey: string }).SSHPublicKey}\n`);
    } });
    const project = t.testdir({ 'image.ts': `import { App, Image, Shell } from 'bake-sdk';
import { AmiLookup, Ec2Source, HostKey } from 'bake-sdk/ec2';
const image = new Image(new App(), 'Web');
new Ec2Source(image, 'Ec2', { baseImage: ${lookup}, userData: false, keyPair: 'instance-connect', allowFrom: ['203.0.113.7/32'], ssh: { user: '${sshd.user}', host: '127.0.0.1', port: ${sshd.port}, hostKey: HostKey.publicKey('${sshd.hostPublicKey}') } });
new Shell(image, 'Kept', { inline: ['cat ~/.ssh/authorized_keys'] });
` });
    const { code, stderr } = await bake(project, ['run'], { ...moto.env, AWS_ENDPOINT_URL: agent.url });
    t.equal(code, 0, stderr);
    t.ok(sent >= 1);
    t.match(stderr, /│ {3}ssh-ed25519 AAAA/, 'while it is built, the key is let in for good');
    t.notOk(existsSync(own), 'then it is taken out');
    t.same(await ec2Leftovers(client), []);
  });

  await t.test('a spot instance that is taken back in mid-build is replaced, and what was done on it is done again', async (t) => {
    await moto.reset();
    const sshd = await startSshd();
    t.teardown(() => sshd.stop());
    // moto knows no spot capacity that is taken back: there, it was the user.
    const proxy = await startChaosProxy(t, moto.url, { edit: (answer) => answer.replaceAll('Client.UserInitiatedShutdown: User initiated shutdown', 'Server.SpotInstanceTermination: Spot instance termination') });
    const project = t.testdir({ 'image.ts': `import { App, Image, Shell } from 'bake-sdk';
import { AmiLookup, Ec2Source, HostKey } from 'bake-sdk/ec2';
const image = new Image(new App(), 'Web');
new Ec2Source(image, 'Ec2', { baseImage: ${lookup}, spot: true, userData: false, allowFrom: ['203.0.113.7/32'], ssh: { user: '${sshd.user}', host: '127.0.0.1', port: ${sshd.port}, privateKeyFile: '${sshd.privateKeyFile}', hostKey: HostKey.publicKey('${sshd.hostPublicKey}') } });
new Shell(image, 'First', { inline: ['echo the first step'] });
new Shell(image, 'Second', { inline: ['if [ -e ${sshd.folder}/again ]; then echo the second step; else touch ${sshd.folder}/again; echo in mid-build; sleep 300; fi'] });
` });
    const running = startBake(project, ['run'], { ...moto.env, AWS_ENDPOINT_URL: proxy.url });
    await running.saw(/│ {3}in mid-build/);
    const { Reservations: [{ Instances: [spot] = [] } = {}] = [] } = await client.send(new DescribeInstancesCommand({}));
    await client.send(new TerminateInstancesCommand({ InstanceIds: [spot?.InstanceId ?? ''] }));
    for (const pid of sshd.connections()) process.kill(pid, 'SIGKILL');
    const { code, stderr } = await running.done;
    t.equal(code, 0, stderr);
    t.match(stderr, /instance t3\.small was lost: Server\.SpotInstanceTermination/);
    t.equal(stderr.match(/│ {3}the first step/g)?.length, 2, stderr);
    t.equal(stderr.match(/│ {3}the second step/g)?.length, 1);
    const { Reservations = [] } = await client.send(new DescribeInstancesCommand({}));
    t.equal(Reservations.length, 2);
    t.equal((await images()).length, 1);
    t.same(await ec2Leftovers(client), []);
  });

  await t.test('several sources of a run have one security group, and each its image', async (t) => {
    await moto.reset();
    const project = await projectOn(t, { steps: "new Ec2Source(image, 'Spot', { ...source, spot: { maxPrice: '0.05' } });\nnew Ec2Source(image, 'Fleet', { ...source, instanceType: ['t3.small', 'm5.large'], spot: { allocationStrategy: 'price-capacity-optimized' } });\nnew Ec2Source(image, 'Only', { ...source, skipCreateAmi: true });\nnew Shell(image, 'One', { inline: ['echo hello'] });" });
    const running = startBake(project, ['run', '--json'], moto.env);
    const { code, stdout, stderr } = await running.done;
    t.equal(code, 0, stderr);
    t.same((await images()).map(({ Name }) => Name?.replace(/-\d{8}t.*/, '')).sort(), ['Web-Ec2', 'Web-Fleet', 'Web-Spot']);
    const groups = new Set([...stdout.matchAll(/it lets 203\.0\.113\.7\/32 in/g)].map(([text]) => text));
    t.equal([...stdout.matchAll(/it lets 203\.0\.113\.7\/32 in/g)].length, 1, [...groups].join());
    t.same(await ec2Leftovers(client), []);
  });

  await t.test('what is wrong is told before anything is made', async (t) => {
    await moto.reset();
    const configs = mkdtempSync(join(tmpdir(), 'bake-test-aws-'));
    t.teardown(() => rmSync(configs, { recursive: true }));
    const mfa = join(configs, 'config');
    writeFileSync(mfa, '[profile base]\naws_access_key_id = test\naws_secret_access_key = test\n[profile builder]\nrole_arn = arn:aws:iam::123456789012:role/builder\nsource_profile = base\nmfa_serial = arn:aws:iam::123456789012:mfa/me\n');
    const cases: readonly { readonly name: string; readonly given: Parameters<typeof projectOn>[1]; readonly env?: NodeJS.ProcessEnv; readonly says: RegExp }[] = [
      { name: 'no image has the name', given: { baseImage: "AmiLookup.mostRecent({ owners: ['self'], name: 'nothing-*' })" }, says: /NoAmiFound[\s\S]*nothing-\*[\s\S]*image\.ts:\d/ },
      { name: 'no image has the id', given: { baseImage: "Ami.fromId('ami-0123456789abcdef0')" }, says: /Ec2NotFound[\s\S]*ami-0123456789abcdef0/ },
      { name: 'the type is unknown', given: { props: "instanceType: 't9.small'" }, says: /t9\.small/ },
      { name: 'the profile wants an MFA code', given: {}, env: { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, AWS_PROFILE: 'builder', AWS_CONFIG_FILE: mfa }, says: /Ec2NoCredentials[\s\S]*MFA device[\s\S]*export-credentials/ },
      { name: 'there are no credentials', given: {}, env: { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, HOME: '/nonexistent' }, says: /Ec2NoCredentials[\s\S]*AWS_PROFILE/ },
      { name: 'there is no region', given: {}, env: { AWS_REGION: undefined, HOME: '/nonexistent' }, says: /Ec2NoRegion[\s\S]*AWS_REGION/ },
    ];
    for (const { name, given, env, says } of cases) {
      const project = await projectOn(t, given);
      const merged = Object.fromEntries(Object.entries({ ...moto.env, ...env }).filter(([, value]) => value !== undefined)) as NodeJS.ProcessEnv;
      const { code, stderr } = await bake(project, ['run'], merged);
      t.equal(code, 1, name);
      t.match(stderr, says, name);
      t.same(await ec2Leftovers(client), [], name);
      rmSync(project, { recursive: true });
    }
  });

  await t.test('a step that fails and Ctrl-C leave nothing', async (t) => {
    await moto.reset();
    const project = await projectOn(t, { steps: "new Shell(image, 'Bad', { inline: ['exit 3'] });" });
    t.equal((await run(project)).code, 1);
    t.same(await ec2Leftovers(client), []);
    writeFileSync(join(project, 'image.ts'), readFileSync(join(project, 'image.ts'), 'utf8').replace('exit 3', 'echo sleeping; sleep 1000'));
    const running = startBake(project, ['run'], moto.env);
    await running.saw(/ {2}sleeping/);
    running.child.kill('SIGINT');
    t.equal((await running.done).code, 130);
    t.same(await ec2Leftovers(client), []);
  });

  await t.test('kill -9 at ten moments: clean removes all, and where there is no journal, clean --scan', async (t) => {
    await moto.reset();
    const project = await projectOn(t);
    t.equal((await run(project)).code, 0);
    const moments = [/"resource\.begun".*SecurityGroup/, /"resource\.acquired".*SecurityGroup/, /"resource\.begun".*Machine/, /"resource\.acquired".*Machine/, /"action\.done".*Ready/, /"action\.done".*:One/, /"action\.done".*Stop/, /"resource\.begun".*Ami/, /"resource\.acquired".*Ami/, /"resource\.released".*Machine/];
    const runs = () => new Set(existsSync(join(project, '.bake/runs')) ? readdirSync(join(project, '.bake/runs')) : []);
    for (const [index, moment] of moments.entries()) {
      const before = runs();
      const running = startBake(project, ['run', '--no-cache'], moto.env);
      let isSeen = false;
      while (!isSeen && running.child.exitCode === null) {
        const own = [...runs()].find((name) => !before.has(name));
        const journal = own === undefined ? '' : (() => { try { return readFileSync(join(project, '.bake/runs', own, 'journal.jsonl'), 'utf8'); } catch { return ''; } })();
        isSeen = moment.test(journal);
        await new Promise((resolve) => { setTimeout(resolve, 1); });
      }
      running.child.kill('SIGKILL');
      await running.done;
      t.ok(isSeen, String(moment));
      if (index % 2 === 0) t.equal((await bake(project, ['clean'], moto.env)).code, 0, String(moment));
      else {
        rmSync(join(project, '.bake/runs'), { recursive: true });
        const cleaned = await bake(project, ['clean', '--platform', 'ec2', '--region', 'all'], moto.env);
        t.equal(cleaned.code, 0, cleaned.stderr);
      }
      t.same(await ec2Leftovers(client), [], String(moment));
    }
  });
});
