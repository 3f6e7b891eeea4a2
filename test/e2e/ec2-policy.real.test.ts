// The policy that bake prints for an app is what its builds ask for: no action is missing, and none is there for nothing.
import t from 'tap';
import { bake } from '../support/bake-cli.js';
import { startChaosProxy } from '../support/chaos-proxy.js';
import { startMoto } from '../support/moto.js';
import { need } from '../support/need.js';
import { startSshd } from '../support/sshd.js';

/** What only a build that fails, or is cleaned up, asks for. */
const forFailures = new Set(['DeregisterImage', 'DeleteSnapshot', 'DescribeSecurityGroups', 'DescribeKeyPairs', 'GetRole', 'DescribeImageAttribute', 'DisableImageDeprecation', 'DeleteParameter', 'GetParameterHistory', 'ListRoles', 'DetachRolePolicy']);
/** Amazon asks for these beside a call of another name. */
const besides = new Set(['PassRole', 'TagRole', 'TagInstanceProfile']);
/** What moto has no call of its own for: tags go with what is made. */
const atCreation = new Set(['CreateTags']);

t.test('the policy of an app holds the actions that its build asks for', { timeout: 120_000 }, async (t) => {
  if (!(await need(t, 'moto')) || !(await need(t, 'sshd'))) return;
  const moto = await startMoto(t);
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  const image = (props: string) => `import { App, Duration, Image, Shell } from 'bake-sdk';
import { AmiLookup, Ec2Source, HostKey } from 'bake-sdk/ec2';
const image = new Image(new App(), 'Web');
new Ec2Source(image, 'Ec2', {
  baseImage: AmiLookup.mostRecent({ owners: ['137112412989'], name: 'amzn-ami-hvm-*' }), userData: false, allowFrom: ['203.0.113.7/32'], ${props}
  ssh: { user: '${sshd.user}', host: '127.0.0.1', port: ${sshd.port}, privateKeyFile: '${sshd.privateKeyFile}', hostKey: HostKey.publicKey('${sshd.hostPublicKey}') },
});
new Shell(image, 'One', { inline: ['echo hello'] });
`;
  for (const props of [
    '',
    `instanceProfile: { policy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }] } }, vpcFilter: { 'is-default': 'true' }, ssmParameter: '/web/ami', amiName: 'web', share: { users: ['123456789012'] }, copyTo: ['us-east-1'],`,
  ]) {
    const project = t.testdir({ 'image.ts': image(props) });
    const printed = await bake(project, ['doctor', '--platform', 'ec2', '--policy'], moto.env);
    t.equal(printed.code, 0, printed.stderr);
    const { Statement } = JSON.parse(printed.stdout) as { readonly Statement: readonly { readonly Action: readonly string[] }[] };
    const allowed = new Set(Statement.flatMap(({ Action }) => Action).map((action) => action.replace(/^.*:/, '')));
    const recorder = await startChaosProxy(t, moto.url);
    const { code, stderr } = await bake(project, ['run'], { ...moto.env, AWS_ENDPOINT_URL: recorder.url });
    t.equal(code, 0, stderr);
    t.same([...recorder.asked].filter((action) => !allowed.has(action)), [], 'none is missing');
    t.same([...allowed].filter((action) => !recorder.asked.has(action) && !forFailures.has(action) && !besides.has(action) && !atCreation.has(action)), [], 'none is there for nothing');
  }
  const disk = t.testdir({ 'image.ts': `import { App, Artifice, Image, ShellLocal } from 'bake-sdk';
import { Ec2Import } from 'bake-sdk/ec2';
import { NullSource } from 'bake-sdk/null';
const image = new Image(new App(), 'Web');
new NullSource(image, 'Disk', {});
new ShellLocal(image, 'Make', { inline: ['echo hello > disk.raw'] });
new Ec2Import(image, 'Import', { input: new Artifice(image, 'File', { files: ['disk.raw'], keepInputArtifact: true }) });
` });
  const ofDisk = await bake(disk, ['doctor', '--platform', 'ec2', '--policy'], moto.env);
  const { Statement: statements } = JSON.parse(ofDisk.stdout) as { readonly Statement: readonly { readonly Action: readonly string[] }[] };
  const mayCall = new Set(statements.flatMap(({ Action }) => Action).map((action) => action.replace(/^.*:/, '')));
  const watched = await startChaosProxy(t, moto.url);
  t.equal((await bake(disk, ['run'], { ...moto.env, AWS_ENDPOINT_URL: watched.url })).code, 0);
  // The direct APIs of EBS have paths.
  const asked = [...watched.asked].map((action) => (action === '/snapshots' ? 'StartSnapshot' : action.startsWith('/snapshots/completion/') ? 'CompleteSnapshot' : action.startsWith('/snapshots/') ? 'PutSnapshotBlock' : action));
  t.same(asked.filter((action) => !mayCall.has(action)), [], 'none is missing for a disk');
  t.same([...mayCall].filter((action) => !asked.includes(action) && !forFailures.has(action) && !atCreation.has(action)), [], 'none is there for nothing');

  const none = await bake(t.testdir({ 'image.ts': "import { App, Image } from 'bake-sdk';\nimport { DockerSource } from 'bake-sdk/docker';\nnew DockerSource(new Image(new App(), 'Web'), 'Docker', { image: 'debian:12' });\n" }), ['doctor', '--policy'], moto.env);
  t.match([none.code, none.stderr], [2, /NoPolicy[\s\S]*ec2/]);
});
