// Machines without an address, through Session Manager: with the vendor's own plugin, and a stand-in for the service and the agent.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DescribeInstancesCommand, DescribeSecurityGroupsCommand } from '@aws-sdk/client-ec2';
import t from 'tap';
import { bake, startBake } from '../support/bake-cli.js';
import { ec2Client, ec2Leftovers } from '../support/ec2-leftovers.js';
import { startMoto } from '../support/moto.js';
import { need, sessionPlugin } from '../support/need.js';
import { startSessionManager } from '../support/session-manager.js';
import { startSshd } from '../support/sshd.js';

const path = `${dirname(sessionPlugin)}:${process.env['PATH'] ?? ''}`;

t.test('a machine that nobody is let into from outside is built', { timeout: 200_000 }, async (t) => {
  if (!(await need(t, 'moto')) || !(await need(t, 'sshd')) || !(await need(t, 'session-manager-plugin'))) return;
  const moto = await startMoto(t, { MOTO_IAM_LOAD_MANAGED_POLICIES: 'true' });
  const client = ec2Client(moto.url);
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  const project = t.testdir({ 'image.ts': `import { App, Image, Shell } from 'bake-sdk';
import { AmiLookup, Ec2Source, HostKey } from 'bake-sdk/ec2';
const image = new Image(new App(), 'Web');
new Ec2Source(image, 'Ec2', {
  baseImage: AmiLookup.mostRecent({ owners: ['137112412989'], name: 'amzn-ami-hvm-*' }), userData: false, address: 'session-manager', associatePublicIp: false,
  ssh: { user: '${sshd.user}', privateKeyFile: '${sshd.privateKeyFile}', hostKey: HostKey.publicKey('${sshd.hostPublicKey}') },
});
new Shell(image, 'First', { inline: ['echo in the machine; sleep \${WAIT:-0}'], environment: { WAIT: process.env['WAIT'] ?? '0' }, retries: 3 });
new Shell(image, 'Second', { inline: ['echo still in the machine'] });
` });
  const managerOf = (offline: number) => startSessionManager(t, { port: sshd.port, behind: moto.url, offline });
  const envOf = (manager: { readonly url: string }) => ({ ...moto.env, AWS_ENDPOINT_URL_SSM: manager.url, PATH: path });

  await t.test('by sessions that begin when its agent is there, and end with the build', async (t) => {
    const manager = await managerOf(2);
    const { code, stderr } = await bake(project, ['run'], envOf(manager));
    t.equal(code, 0, stderr);
    t.match(stderr, /│ {3}in the machine[\s\S]*│ {3}still in the machine/);
    const { Reservations: [{ Instances: [instance] = [] } = {}] = [] } = await client.send(new DescribeInstancesCommand({}));
    t.match(manager.asked.at(2), { action: 'StartSession', input: { Target: instance?.InstanceId, DocumentName: 'AWS-StartPortForwardingSession', Parameters: { portNumber: ['22'], localPortNumber: ['0'] } } });
    t.equal(manager.asked.filter(({ action }) => action === 'StartSession').length, 3, 'twice, the agent was not there');
    t.equal(manager.asked.filter(({ action }) => action === 'TerminateSession').length, 1);
    t.match(stderr, /✔ temporary instance profile/, 'which its agent needs');
    t.notOk((await client.send(new DescribeSecurityGroupsCommand({}))).SecurityGroups?.some(({ GroupName = '' }) => GroupName.startsWith('bake-')), 'nobody was let in');
    for (const text of [stderr, ...filesOf(project)]) for (const token of manager.tokens) t.notOk(text.includes(token), 'the token is nowhere');
    t.same(await ec2Leftovers(client), []);
  });

  await t.test('a session that is cut in mid-build is followed by another', async (t) => {
    const manager = await managerOf(0);
    const running = startBake(project, ['run', '--no-cache'], { ...envOf(manager), WAIT: '2' });
    await running.saw(/│ {3}in the machine/);
    const [pid] = pidsOf(/session-manager-plugin/, project);
    for (const token of manager.tokens) t.notOk(readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(token), 'no list of processes shows the token');
    process.kill(pid!, 'SIGKILL');
    const { code, stderr } = await running.done;
    t.equal(code, 0, stderr);
    t.equal(manager.asked.filter(({ action }) => action === 'StartSession').length, 2, stderr);
    t.match(stderr, /the session with i-[0-9a-f]+ ended; trying again/);
    t.same(await ec2Leftovers(client), []);
  });

  await t.test('kill -9 leaves a program that clean ends', async (t) => {
    const manager = await managerOf(0);
    const running = startBake(project, ['run', '--no-cache'], { ...envOf(manager), WAIT: '300' });
    await running.saw(/│ {3}in the machine/);
    running.child.kill('SIGKILL');
    await running.done;
    const { code, stderr } = await bake(project, ['clean'], envOf(manager));
    t.equal(code, 0, stderr);
    t.same(pidsOf(/session-manager-plugin/, project), []);
    t.same(await ec2Leftovers(client), []);
  });

  await t.test('without the program it is told before anything is made', async (t) => {
    const manager = await managerOf(0);
    const { code, stderr } = await bake(project, ['run', '--no-cache'], { ...envOf(manager), PATH: dirname(process.execPath) === '/usr/bin' ? '/usr/bin:/bin' : `${dirname(process.execPath)}:/usr/bin:/bin` });
    t.equal(code, 2);
    t.match(stderr, /SessionProgramNotFound[\s\S]*session-manager-plugin/);
    t.same(manager.asked, []);
  });
});

/** Of the project's own runs. */
function pidsOf(pattern: RegExp, project: string): readonly number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      return pattern.test(readFileSync(`/proc/${pid}/cmdline`, 'latin1')) && readFileSync(`/proc/${pid}/environ`, 'latin1').includes(project);
    } catch {
      return false;
    }
  });
}

function filesOf(project: string): readonly string[] {
  return readdirSync(`${project}/.bake`, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => readFileSync(`${entry.parentPath}/${entry.name}`, 'latin1'));
}
