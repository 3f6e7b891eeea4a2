// A secret in every place where a user can put one; then every output, log, plan, journal and argument list is searched.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { baseImage } from '../platforms/docker/base-image.js';
import { startBake } from '../support/bake-cli.js';
import { need } from '../support/need.js';
import { startSshd } from '../support/sshd.js';

const secrets = { env: 'plant3d-env-secret', file: 'plant3d "file" $ecret', literal: "plant3d-literal's-secret", variable: 'plant3d-variable-secret' };

/** Any form in which a secret could show itself. */
const forms = Object.values(secrets).flatMap((secret) => [secret, Buffer.from(secret).toString('base64').replace(/=+$/, ''), encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]);

const image = (base: string, sshd: { port: number; user: string; privateKeyFile: string; hostPublicKey: string }) => `import { App, File, HostKey, Image, Manifest, Secret, Shell, ShellLocal, Variable, build, str } from 'bake-sdk';
import { DockerSource } from 'bake-sdk/docker';
import { NullSource } from 'bake-sdk/null';
const app = new App();
const all = [Secret.env('PLANTED'), Secret.file('secret.txt'), Secret.insecureLiteral(${JSON.stringify(secrets.literal)}), Variable.string('token', { sensitive: true })];
const image = new Image(app, 'Web');
new DockerSource(image, 'Docker', { image: '${base}', env: { IN_CONTAINER: all[0] }, auth: { server: 'localhost:1', username: 'me', password: all[1] }, message: str\`made with \${all[2]}\` } as never);
new NullSource(image, 'Ssh', { ssh: { host: '127.0.0.1', port: ${sshd.port}, user: '${sshd.user}', privateKeyFile: '${sshd.privateKeyFile}', passphrase: all[3], hostKey: HostKey.publicKey('${sshd.hostPublicKey}') } as never });
all.forEach((secret, index) => {
  new Shell(image, \`Env\${index}\`, { environment: { TOKEN: secret }, inline: ['echo "it is $TOKEN"', 'echo "$TOKEN" >&2', 'sleep 0.05'] });
  new Shell(image, \`Sudo\${index}\`, { environment: { TOKEN: secret }, executeCommand: "env PLAIN=1 sh -c '{{.Vars}} {{.Path}}'", inline: ['echo "it is $TOKEN"', 'sleep 0.05'] });
  new Shell(image, \`Inline\${index}\`, { inline: [str\`cat <<'EOF'\\n\${secret}\\nEOF\`, 'sleep 0.05'] });
  new Shell(image, \`Error\${index}\`, { inline: [str\`cat <<'EOF'\\n\${secret}\\nEOF\`, 'exit 3'], continueOnError: true });
  new ShellLocal(image, \`LocalEnv\${index}\`, { environment: { TOKEN: secret }, inline: ['echo "it is $TOKEN"', 'sleep 0.05'] });
  new ShellLocal(image, \`LocalInline\${index}\`, { inline: [str\`cat <<'EOF'\\n\${secret}\\nEOF\`, 'sleep 0.05'] });
  new File(image, \`File\${index}\`, { content: str\`\${secret}\`, destination: \`/tmp/bake-secret-test-\${index}\` });
});
new Manifest(image, 'Manifest', {});
`;

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)).filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
}

t.test('no secret is seen anywhere', async (t) => {
  if (!(await need(t, 'docker')) || !(await need(t, 'sshd'))) return;
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  const project = t.testdir({ 'image.ts': image(await baseImage(), sshd), 'secret.txt': `${secrets.file}\n` });
  const running = startBake(project, ['run', '--verbose'], { PLANTED: secrets.env, BAKE_VAR_token: secrets.variable });
  const commandLines = new Set<string>();
  let isOver = false;
  void running.done.finally(() => { isOver = true; });
  while (!isOver) {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        commandLines.add(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
      } catch { /* it has ended */ }
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { code, stdout, stderr } = await running.done;
  t.equal(code, 0, stderr);
  t.match(stderr, /it is ••••/, 'the scripts had them');
  t.ok(commandLines.size > 20, `${commandLines.size} command lines were looked at`);
  const seen = (where: string, text: string) => forms.filter((form) => text.includes(form)).map((form) => `${form} in ${where}`);
  const own = filesBelow(project).filter((path) => !path.endsWith('secret.txt') && path !== join(project, 'image.ts'));
  t.ok(own.some((path) => path.endsWith('journal.jsonl')) && own.some((path) => path.endsWith('log.jsonl')) && own.some((path) => path.endsWith('.plan.json')));
  t.same([
    ...seen('stdout', stdout), ...seen('stderr', stderr),
    ...[...commandLines].flatMap((line) => seen(`the command line ${line.replaceAll('\0', ' ').slice(0, 100)}`, line)),
    ...own.flatMap((path) => seen(path, readFileSync(path, 'utf8'))),
  ], []);
});
