import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startBake } from '../../support/bake-cli.js';
import { need } from '../../support/need.js';
import { type Sshd, startSshd } from '../../support/sshd.js';
import { uniqueSeconds } from '../../support/communicator-contract.js';

const imageOn = (sshd: Sshd, body: string, ssh = `privateKeyFile: '${sshd.privateKeyFile}'`) => `import { App, HostKey, Image, Secret, Shell, ShellLocal, build, str } from 'bake-sdk';
import { NullSource } from 'bake-sdk/null';
const image = new Image(new App(), 'Web');
new NullSource(image, 'Null', { ssh: { host: '${sshd.host}', port: ${sshd.port}, user: '${sshd.user}', hostKey: HostKey.publicKey('${sshd.hostPublicKey}'), ${ssh} } });
${body}
`;

t.test('a build on an existing machine runs its shell steps there and exports nothing', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  const project = t.testdir({ 'image.ts': imageOn(sshd, `
new Shell(image, 'Where', { inline: ['echo "on port $(echo $SSH_CONNECTION | cut -d" " -f4)"'] });
new ShellLocal(image, 'Here', { inline: [str\`echo key \${build.sshPrivateKeyFile} of \${build.user} at \${build.host}\`] });`) });
  const { code, stdout, stderr } = await startBake(project, ['run']).done;
  t.equal(code, 0, stderr);
  t.match(stdout + stderr, `on port ${sshd.port}`);
  t.match(stdout + stderr, `key ${sshd.privateKeyFile} of ${sshd.user} at 127.0.0.1`);
  t.match(readJournal(project), /"type":"none","id":"null","title":"nothing was exported"/);
});

t.test('the key of a login is nowhere but in its variable', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  const key = readFileSync(sshd.privateKeyFile, 'utf8');
  const project = t.testdir({ 'image.ts': imageOn(sshd, `new Shell(image, 'Hello', { inline: ['echo hello from there'] });`, `privateKey: Secret.env('TEST_LOGIN_KEY')`) });
  const { code, stdout, stderr } = await startBake(project, ['run'], { TEST_LOGIN_KEY: key }).done;
  t.equal(code, 0, stderr);
  t.match(stdout + stderr, 'hello from there');
  const line = key.split('\n')[2]!;
  const written = readdirSync(project, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
  t.ok(written.length > 2);
  t.notOk([stdout, stderr, ...written].some((text) => text.includes(line)));
});

t.test('Ctrl-C kills the command on the machine', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  const mark = uniqueSeconds();
  const project = t.testdir({ 'image.ts': imageOn(sshd, `new Shell(image, 'Long', { inline: ['echo sleeping', 'sleep ${mark} & sleep ${mark}'] });`) });
  const running = startBake(project, ['run']);
  await running.saw(/sleeping/);
  const at = Date.now();
  running.child.kill('SIGINT');
  const { code, stderr } = await running.done;
  t.equal(code, 130, stderr);
  t.ok(Date.now() - at < 3_000, `${Date.now() - at} ms`);
  const commands = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    } catch {
      return ''; // it ended meanwhile
    }
  });
  t.strictSame(commands.filter((command) => command.startsWith(`sleep ${mark}`)), []);
});

t.test('a machine that cannot be reached fails the build with what was tried, at the line of the step', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd();
  const text = imageOn(sshd, `new Shell(image, 'Hello', { inline: ['true'] });`, `agent: '${sshd.folder}/none', timeout: Duration.seconds(1)`).replace('{ App', '{ Duration, App');
  await sshd.stop();
  const { code, stderr } = await startBake(t.testdir({ 'image.ts': text }), ['run']).done;
  t.equal(code, 1, stderr);
  t.match(stderr, /CommunicatorTimeout/);
  t.match(stderr, /connection refused/);
  t.match(stderr, /image\.ts:\d+/);
});

function readJournal(project: string): string {
  const runs = join(project, '.bake/runs');
  return readdirSync(runs).map((run) => readFileSync(join(runs, run, 'journal.jsonl'), 'utf8')).join('');
}
