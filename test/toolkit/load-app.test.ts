import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { BakeError } from '../../lib/core/bake-error.js';
import { systemExec } from '../../lib/toolkit/host/exec.js';
import { synthApp } from '../../lib/toolkit/synth-app.js';

const header = `import { App, Image, Variable, Secret, str, build } from 'bake-sdk';\nimport { NullSource } from 'bake-sdk/null';\n`;

async function synth(t: Test, files: Parameters<Test['testdir']>[0], variables: Record<string, string> = {}, env: NodeJS.ProcessEnv = {}) {
  const project = t.testdir(files);
  return synthApp({ app: project, variables, variableFiles: [] }, { cwd: project, env: { PATH: process.env['PATH'], ...env }, exec: systemExec() });
}

async function failure(t: Test, files: Parameters<Test['testdir']>[0], variables: Record<string, string> = {}): Promise<BakeError> {
  try {
    await synth(t, files, variables);
  } catch (error) {
    return error as BakeError;
  }
  throw new Error('it should have failed');
}

t.test('any TypeScript is fine: enums, parameter properties, decorators, path aliases, JSON, top-level await', async (t) => {
  const { plans } = await synth(t, {
    'tsconfig.json': '{ "compilerOptions": { "experimentalDecorators": true, "paths": { "@lib/*": ["./src/*"] } } }',
    'data.json': '{ "name": "fromJson" }',
    src: { 'names.ts': 'export enum Names { Web = "Web" }\nexport namespace Inner { export const place = __dirname; }' },
    'image.ts': `${header}import data from './data.json';
import { Names, Inner } from '@lib/names';
function seen(target: unknown) { void target; }
@seen
class Web extends Image {
  constructor(scope: App, id: string, readonly extra: string) {
    super(scope, id);
    new NullSource(this, this.extra);
  }
}
const app = new App();
await Promise.resolve();
new Web(app, Names.Web, data.name);
if (!Inner.place.endsWith('/src')) throw new Error(Inner.place);
if (!import.meta.url.endsWith('/image.ts')) throw new Error(import.meta.url);
`,
  });
  t.same(plans.map((plan) => plan.builds.map((one) => one.id)), [['Web/fromJson']]);
  t.same(plans[0]?.builds[0]?.source, { file: 'image.ts', line: 10, column: 5 });
});

t.test('synth writes the same bytes for the same input, and no secret', async (t) => {
  const project = t.testdir({ 'image.ts': `${header}const app = new App();\nconst image = new Image(app, 'Web');\nnew NullSource(image, 'Null');\nvoid Secret.insecureLiteral('hunter2');\n` });
  const once = async () => {
    const { outDir } = await synthApp({ app: project, variables: {}, variableFiles: [] }, { cwd: project, env: {}, exec: systemExec() });
    return ['manifest.json', 'tree.json', 'Web.plan.json'].map((name) => readFileSync(join(outDir, name), 'utf8')).join('\n');
  };
  const first = await once();
  t.equal(await once(), first);
  t.notMatch(first, /hunter2/);
  t.notMatch(first, new RegExp(project), 'no absolute path of this machine');
});

t.test('an error in the user\'s file shows the user\'s line', async (t) => {
  const thrown = await failure(t, { 'image.ts': `${header}\nfunction deep(): never {\n  throw new TypeError('oh');\n}\ndeep();\n` });
  t.match(thrown.diagnostics, [{ code: 'AppFailed', message: 'TypeError: oh', location: { file: 'image.ts', line: 5 } }]);
  const syntax = await failure(t, { 'image.ts': `${header}const = 1;\n` });
  t.match(syntax.diagnostics, [{ code: 'SyntaxError', location: { file: 'image.ts', line: 3 } }]);
  const missing = await failure(t, { 'image.ts': `${header}import './nothing.js';\n` });
  t.match(missing.diagnostics, [{ code: 'ModuleNotFound', location: { file: 'image.ts', line: 3 } }]);
  const text = await failure(t, { 'image.ts': `${header}\nconst x = \`on \${build.host}\`;\n` });
  t.match(text.diagnostics, [{ code: 'LateValueAsText', hint: /str/, location: { file: 'image.ts', line: 4 } }]);
  const twice = await failure(t, { 'image.ts': `${header}const app = new App();\nnew Image(app, 'A');\nnew Image(app, 'A');\n` });
  t.match(twice.diagnostics, [{ code: 'DuplicateId', message: /"A"/, location: { file: 'image.ts', line: 5 } }]);
});

t.test('a file that makes no App, and a folder without one, say so', async (t) => {
  t.match((await failure(t, { 'image.ts': header })).diagnostics, [{ code: 'NoApp' }]);
  t.match(await failure(t, {}), { code: 'AppNotFound', hint: /bake init/ });
});

t.test('variables come from the command line, files and the environment, in this order of rank', async (t) => {
  const source = `${header}const app = new App();\nnew NullSource(new Image(app, Variable.string('name', { description: 'the image' })), 'Null');\n`;
  const named = async (variables: Record<string, string>, env: NodeJS.ProcessEnv = {}) => (await synth(t, { 'image.ts': source }, variables, env)).plans[0]?.image;
  t.equal(await named({ name: 'Given' }, { BAKE_VAR_name: 'Env' }), 'Given');
  t.equal(await named({}, { BAKE_VAR_name: 'Env' }), 'Env');
  t.match((await failure(t, { 'image.ts': source })).diagnostics.find((diagnostic) => diagnostic.code === 'MissingVariable'), { message: /"name" \(the image\)/, hint: /-c name=/, location: { file: 'image.ts', line: 4 } });
  t.match((await failure(t, { 'image.ts': source }, { name: 'x', nmae: 'y' })).diagnostics, [{ code: 'UnknownVariable', hint: 'did you mean "name"?' }]);
});

t.test('a validated variable says what is wrong with the value', async (t) => {
  const source = `${header}const app = new App();\nVariable.number('count', { validate: (n) => n > 0 || 'must be positive' });\nnew NullSource(new Image(app, 'W'), 'Null');\n`;
  t.match((await failure(t, { 'image.ts': source }, { count: '-1' })).diagnostics, [{ code: 'InvalidVariable', message: /-1: must be positive/ }]);
  t.match((await failure(t, { 'image.ts': source }, { count: 'many' })).diagnostics, [{ code: 'InvalidVariable', message: /not a number/ }]);
});

t.test('a variable file that is not there is told from one that is wrong', async (t) => {
  const project = t.testdir({ 'image.ts': `${header}new Image(new App(), 'Web');`, 'bad.json': '[]' });
  const read = (file: string) => synthApp({ app: project, variables: {}, variableFiles: [file] }, { cwd: project, env: {}, exec: systemExec() });
  await t.rejects(read('nope.json'), { code: 'FileNotFound', message: /nope\.json does not exist/, hint: /--var-file/ });
  await t.rejects(read('.'), { code: 'FileNotReadable' });
  await t.rejects(read('bad.json'), { code: 'VariableFileInvalid', hint: /JSON object/ });
});

t.test('a name in a variable file that the app never asks for is an error; one of the environment is not', async (t) => {
  const text = `${header}const app = new App();\nnew NullSource(new Image(app, Variable.string('name', { default: 'Web' })), 'Null');\n`;
  const project = t.testdir({ 'image.ts': text, 'typo.json': '{ "nmae": "x" }', 'good.json': '{ "name": "Other" }' });
  const read = (file: string) => synthApp({ app: project, variables: {}, variableFiles: [file] }, { cwd: project, env: { BAKE_VAR_other: 'x' }, exec: systemExec() });
  const typo = await read('typo.json').catch((error: unknown) => error);
  t.match(typo, { diagnostics: [{ code: 'UnknownVariable', message: 'there is no variable "nmae", which typo.json gives a value', hint: 'did you mean "name"?' }] });
  t.equal((await read('good.json')).plans[0]?.image, 'Other');
});

t.test('a truth value is one of the six words, and no name that objects happen to have', async (t) => {
  const error = await failure(t, { 'image.ts': `${header}Variable.boolean('flag');\nnew NullSource(new Image(new App(), 'Web'), 'Null', {});` }, { flag: 'constructor' });
  t.match(error.diagnostics, [{ code: 'InvalidVariable', message: 'the variable "flag" is "constructor", which is not true or false' }]);
});

t.test('a number is a finite decimal one', async (t) => {
  const source = `${header}console.error(Variable.number('count'));\nnew NullSource(new Image(new App(), 'Web'), 'Null', {});`;
  for (const count of ['Infinity', '-Infinity', '1e999', '0x10', '0b1', '', ' ', 'NaN', '1_000', '1,5', '.', '1e']) {
    const error = await failure(t, { 'image.ts': source }, { count });
    t.match(error.diagnostics, [{ code: 'InvalidVariable', message: `the variable "count" is "${count}", which is not a number such as 3 or -0.5` }], JSON.stringify(count));
  }
});
