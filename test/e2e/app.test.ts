import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bake } from '../support/bake-cli.js';

const app = `import { App, Image, ShellLocal } from 'bake-sdk';
import { NullSource } from 'bake-sdk/null';
const app: App = new App();
for (const name of ['One', 'Two']) {
  const image = new Image(app, name);
  for (const source of ['A', 'B']) new NullSource(image, source, {});
  new ShellLocal(image, 'Note', { inline: ['echo "$BAKE_BUILD" >> built'] });
}
`;

t.test('an app command of bake.json gives the same plans as the file itself', async (t) => {
  const direct = t.testdir({ file: { 'image.ts': app }, command: { 'image.ts': app, 'package.json': '{ "type": "commonjs" }', 'tsconfig.json': '{ "compilerOptions": { "module": "commonjs", "esModuleInterop": true, "target": "es2022", "skipLibCheck": true } }' } });
  const commanded = join(direct, 'command');
  // ts-node as users run it: in a project whose node_modules has bake-sdk.
  const { execFileSync } = await import('node:child_process');
  execFileSync('sh', ['-c', `mkdir -p node_modules && ln -s "$1" node_modules/bake-sdk && printf '{ "app": "%s -T image.ts" }' "$1/node_modules/.bin/ts-node" > bake.json`, 'sh', process.cwd()], { cwd: commanded });
  const [own, other] = await Promise.all([bake(join(direct, 'file'), ['synth', '--json']), bake(commanded, ['synth', '--json'])]);
  t.equal(own.code, 0, own.stderr);
  t.equal(other.code, 0, other.stderr);
  t.equal(readFileSync(join(commanded, 'bake.out', 'One.plan.json'), 'utf8'), readFileSync(join(direct, 'file', 'bake.out', 'One.plan.json'), 'utf8'));
});

t.test('selectors, --only and --except choose builds', async (t) => {
  const built = async (...args: string[]) => {
    const project = t.testdir({ 'image.ts': app });
    const { code, stderr } = await bake(project, ['run', ...args]);
    t.equal(code, 0, stderr);
    return readFileSync(join(project, 'built'), 'utf8').trim().split('\n').sort();
  };
  t.same(await built('One'), ['One/A', 'One/B']);
  t.same(await built('One/A', 'Two/B'), ['One/A', 'Two/B']);
  t.same(await built('--only', 'A'), ['One/A', 'Two/A']);
  t.same(await built('--except', 'Two/*', '--parallel', '1'), ['One/A', 'One/B']);
  const none = await bake(t.testdir({ 'image.ts': app }), ['run', 'Onee']);
  t.equal(none.code, 2);
  t.match(none.stderr, /did you mean "One"/);
});

t.test('synth --check prints the diagnostics of the user\'s own TypeScript', async (t) => {
  const project = t.testdir({ 'image.ts': `import { App, Image } from 'bake-sdk';\nimport { NullSource } from 'bake-sdk/null';\nnew NullSource(new Image(new App(), 'Web'), 'Null', { ssj: 1 });\n` });
  const { code, stderr, stdout } = await bake(project, ['synth', '--check']);
  t.equal(code, 2, stdout);
  t.match(stderr, /TS2353[\s\S]*image\.ts:3/);
});

t.test('diff tells what changed in the plan, with exit code 3', async (t) => {
  const project = t.testdir({ 'image.ts': app });
  await bake(project, ['synth']);
  t.equal((await bake(project, ['diff'])).code, 0);
  const { writeFileSync } = await import('node:fs');
  writeFileSync(join(project, 'image.ts'), app.replace('echo', 'printf %s'));
  const changed = await bake(project, ['diff']);
  t.equal(changed.code, 3, changed.stderr);
  t.match(changed.stdout, /One\/A:Note/);
});

t.test('--json prints every event as a line of JSON on stdout', async (t) => {
  const { stdout, code } = await bake(t.testdir({ 'image.ts': app }), ['run', '--json']);
  t.equal(code, 0);
  const events = stdout.trim().split('\n').map((line) => JSON.parse(line) as { type: string });
  t.equal(events[0]?.type, 'run.started');
  t.equal(events.at(-1)?.type, 'run.finished');
});
