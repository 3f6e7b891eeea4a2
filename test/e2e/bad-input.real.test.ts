// What a user can get wrong, through the built CLI: the code, the construct, the user's line and what to do, and nothing left.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { baseImage } from '../platforms/docker/base-image.js';
import { bake } from '../support/bake-cli.js';
import { leftovers } from '../support/leftovers.js';
import { need } from '../support/need.js';

const header = `import { App, File, Image, Shell, ShellLocal, Ref, str } from 'bake-sdk';
import { DockerSource, DockerTag } from 'bake-sdk/docker';
import { NullSource } from 'bake-sdk/null';
import { BootstrapSource } from 'bake-sdk/rootfs';
const app = new App();
const image = new Image(app, 'Web');
`;

interface Mistake {
  readonly name: string;
  /** What follows the header, from line 7 on; `BASE` is a local image. */
  readonly source: string;
  readonly files?: Record<string, string>;
  readonly exit: 1 | 2;
  readonly code: string;
  /** Construct path as it is shown. */
  readonly construct?: string;
  readonly line?: number;
  readonly hint: RegExp;
}

const mistakes: readonly Mistake[] = [
  { name: 'an unknown prop', source: `new DockerSource(image, 'Docker', { imgae: 'BASE' } as never);`, exit: 2, code: 'UnknownProp', construct: 'Web/Docker', line: 7, hint: /did you mean "image"/ },
  { name: 'a wrong type', source: `new NullSource(image, 'Null', { local: true });\nnew Shell(image, 'S', { inline: [7] } as never);`, exit: 2, code: 'Invalid', construct: 'Web/S', line: 8, hint: /./ },
  { name: 'nothing to run', source: `new NullSource(image, 'Null', { local: true });\nnew Shell(image, 'S', {});`, exit: 2, code: 'ScriptChoice', construct: 'Web/S', line: 8, hint: /inline/ },
  { name: 'an id twice', source: `new NullSource(image, 'Null', {});\nnew NullSource(image, 'Null', {});`, exit: 2, code: 'DuplicateId', line: 8, hint: /id of its own/ },
  { name: 'an output that is not there', source: `const s = new NullSource(image, 'Null', {});\nnew ShellLocal(image, 'S', { inline: [str\`\${new Ref<string>({ construct: s, output: 'artefact' })}\`] });`, exit: 2, code: 'UnknownOutput', construct: 'Web/S', line: 8, hint: /did you mean "artifact"/ },
  { name: 'a late value as a text', source: `const s = new NullSource(image, 'Null', {});\nnew ShellLocal(image, 'S', { inline: [\`\${s.artifact}\`] });`, exit: 2, code: 'LateValueAsText', line: 8, hint: /tag str/ },
  { name: 'a file that is not there', source: `new NullSource(image, 'Null', { local: true });\nnew File(image, 'F', { source: './nothing', destination: '/tmp/x' });`, exit: 2, code: 'FileNotFound', line: 8, hint: /image\.ts/ },
  { name: 'a hostile tag', source: `new DockerSource(image, 'Docker', { image: 'BASE' });\nnew DockerTag(image, 'T', { repository: 'web', tags: ['a;rm -rf ~'] });`, exit: 2, code: 'InvalidProp', construct: 'Web/T', line: 8, hint: /./ },
  { name: 'a hostile output path', source: `new BootstrapSource(image, 'Rootfs', { output: { format: 'tarball', path: '../escaped.tar' } });`, exit: 2, code: 'InvalidProp', construct: 'Web/Rootfs', line: 7, hint: /inside the folder/ },
  { name: 'a script that exits with 7', source: `new DockerSource(image, 'Docker', { image: 'BASE' });\nnew Shell(image, 'S', { inline: ['echo last words', 'exit 7'] });`, exit: 1, code: 'ScriptFailed', construct: 'Web/Docker:S', line: 8, hint: /validExitCodes/ },
  { name: 'a pull that fails', source: `new DockerSource(image, 'Docker', { image: '127.0.0.1:9/none:1', pull: 'always' });`, exit: 1, code: 'Docker', construct: 'Web/Docker', line: 7, hint: /./ },
  { name: 'an error in a Dockerfile', source: `new DockerSource(image, 'Docker', { build: { path: './Dockerfile' } });`, files: { Dockerfile: 'FROM BASE\nRUN exit 9\n' }, exit: 1, code: 'DockerBuildFailed', construct: 'Web/Docker', line: 7, hint: /./ },
  { name: 'a tarball that is none', source: `new BootstrapSource(image, 'Rootfs', { tarball: './not.tar' });`, files: { 'not.tar': 'this is no tarball' }, exit: 1, code: 'RootfsTarballInvalid', construct: 'Web/Rootfs', line: 7, hint: /tar/ },
  { name: 'an output in the way', source: `new BootstrapSource(image, 'Rootfs', { tarball: './not.tar', output: { format: 'tarball', path: 'mine.tar' } });`, files: { 'not.tar': 'x', 'mine.tar': 'precious' }, exit: 2, code: 'OutputExists', construct: 'Web/Rootfs', line: 7, hint: /--force/ },
];

for (const { name, source, files = {}, exit, code, construct, line, hint } of mistakes) {
  t.test(`${name}: ${code}`, async (t) => {
    if (!(await need(t, 'docker'))) return;
    const base = await baseImage();
    const fill = (text: string) => text.replaceAll('BASE', base);
    const project = t.testdir({ 'image.ts': fill(header + source), ...Object.fromEntries(Object.entries(files).map(([path, text]) => [path, fill(text)])) });
    const result = await bake(project, ['run']);
    t.equal(result.code, exit, result.stderr);
    t.match(result.stderr, new RegExp(code));
    t.match(result.stderr, hint);
    if (construct !== undefined) t.ok(result.stderr.includes(construct), construct);
    if (line !== undefined) t.match(result.stderr, new RegExp(`image\\.ts:${line}`));
    t.notMatch(result.stderr, /\n\s+at .*\(.*:\d+:\d+\)/, 'no stack trace');
    t.same(leftovers(project), []);
    if ('mine.tar' in files) t.equal(readFileSync(join(project, 'mine.tar'), 'utf8'), 'precious');
    t.notOk(existsSync(join(project, '..', 'escaped.tar')));
  });
}

t.test('all mistakes of a file are shown at once', async (t) => {
  const project = t.testdir({ 'image.ts': `${header}new DockerSource(image, 'Docker', { imgae: 'x' } as never);\nnew Shell(image, 'S', { inline: ['x'], only: ['Dokcer'] });\nnew Image(app, 'Empty');\n` });
  const { code, stderr } = await bake(project, ['synth']);
  t.equal(code, 2);
  for (const expected of ['UnknownProp', 'UnknownSource', 'NoSource', 'image.ts:7', 'image.ts:8', 'image.ts:9']) t.ok(stderr.includes(expected), expected);
});

t.test('a plan of a newer bake is refused by name', async (t) => {
  const project = t.testdir({ 'image.ts': `${header}new NullSource(image, 'Null', {});\n`, 'newer.json': '{ "schema": 99, "image": "Web" }' });
  const { code, stderr } = await bake(project, ['diff', 'newer.json']);
  t.equal(code, 2, stderr);
  t.match(stderr, /PlanTooNew[\s\S]*schema 99/);
});

t.test('a damaged journal is told, and clean goes on with the others', async (t) => {
  const project = t.testdir({ 'image.ts': `${header}new NullSource(image, 'Null', {});\n` });
  const run = join(project, '.bake', 'runs', '20200101t000000-aaaaaa');
  mkdirSync(run, { recursive: true });
  writeFileSync(join(run, 'journal.jsonl'), 'not json\n{"type":"run.closed"}\n');
  const { code, stderr, stdout } = await bake(project, ['clean']);
  t.equal(code, 5, stderr);
  t.match(stdout + stderr, /damaged[\s\S]*--scan/);
  t.ok(readdirSync(run).includes('journal.jsonl'), 'nothing is thrown away');
});
