import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createToolkit } from '../../lib/toolkit/create-toolkit.js';
import { InputStates } from '../../lib/toolkit/watch/input-states.js';

t.test('what tells two states of an input from each other', async (t) => {
  const project = t.testdir({ 'image.ts': '1', files: { a: '1', deep: { b: '1' } }, 'bake.out': { plan: '1' }, '.bake': { outputs: {} } });
  const at = (...names: string[]) => join(project, ...names);
  const inputs = new InputStates({ project, outDir: at('bake.out') });
  const changed = () => inputs.look().changed.map((path) => path.slice(project.length + 1)).sort();
  t.equal(inputs.add(at('image.ts')), true);
  t.equal(inputs.add(at('image.ts')), false, 'it is known');
  inputs.add(at('files'));
  inputs.add(at('none.json'));
  t.same(changed(), [], 'the first look finds nothing new');
  t.same([...inputs.look().folders].sort(), [project, at('files'), at('files/deep')]);
  const cases: readonly (readonly [string, () => void, readonly string[]])[] = [
    ['a file', () => writeFileSync(at('image.ts'), '22'), ['image.ts']],
    ['a file in a folder', () => writeFileSync(at('files/deep/b'), '22'), ['files/deep/b']],
    ['a new file', () => writeFileSync(at('files/c'), ''), ['files']],
    ['a file that is gone', () => rmSync(at('files/a')), ['files']],
    ['a new folder', () => mkdirSync(at('files/more')), ['files']],
    ['a file that was not there', () => writeFileSync(at('none.json'), '{}'), ['none.json']],
    ['a link around', () => symlinkSync('..', at('files/deep/up')), ['files/deep']],
    ['what bake writes', () => { writeFileSync(at('bake.out/plan'), '22'); mkdirSync(at('.bake/runs')); }, []],
  ];
  for (const [name, change, expected] of cases) {
    change();
    t.same(changed(), expected, name);
    t.same(changed(), [], `${name}, told once`);
  }
  writeFileSync(at('.bake/outputs/x.json'), JSON.stringify({ path: at('files/out.tar') }));
  t.same(changed(), []);
  writeFileSync(at('files/.out.tar.r1.part'), 'half');
  t.same(changed(), [], 'an output that is being written into a folder that is an input');
  writeFileSync(at('files/out.tar'), 'whole');
  t.same(changed(), []);
});

/** A project that is watched; each round gives what `rounds` waits for. */
function watched(t: Test, project: string): { readonly next: () => Promise<string>; readonly changes: string[][]; readonly aborted: string[]; readonly end: () => Promise<void>; hold: boolean } {
  const stop = new AbortController();
  const waiting: ((outcome: string) => void)[] = [];
  const outcomes: string[] = [];
  const tell = (outcome: string) => { const first = waiting.shift(); if (first === undefined) outcomes.push(outcome); else first(outcome); };
  const state = { hold: false, changes: [] as string[][], aborted: [] as string[] };
  const done = createToolkit({ cwd: project, env: { BAKE_CACHE_DIR: join(project, '.bake', 'cache') } }).watch({
    app: '.', signal: stop.signal, onChange: (paths) => { state.changes.push([...paths]); }, onWait: () => {},
    round: async (toolkit, signal) => {
      try {
        const forecasts = await toolkit.forecast({ app: '.', variables: {}, variableFiles: [], selectors: [], only: [], except: [], force: false, signal });
        tell(forecasts.map(({ steps }) => steps.map(({ title }) => title)).join());
        if (!state.hold) return;
        await new Promise<void>((resolve) => { if (signal.aborted) resolve(); else signal.addEventListener('abort', () => resolve(), { once: true }); });
        state.aborted.push((signal.reason as Error).message);
      } catch (error) {
        tell((error as Error).message);
      }
    },
  });
  const end = async () => { stop.abort(new Error('over')); await done; };
  t.teardown(end);
  return Object.assign(state, { next: async () => outcomes.shift() ?? new Promise<string>((resolve) => waiting.push(resolve)), end });
}

t.test('each change of what the app is made of gives a round, mistakes in it too', { timeout: 60_000 }, async (t) => {
  const image = (from: string) => `import { App, Image, Shell } from 'bake-sdk';\nimport { NullSource } from 'bake-sdk/null';\n${from}\nconst image = new Image(new App(), 'Web');\nnew NullSource(image, 'Here', { local: true });\nnew Shell(image, word, { script: 'run.sh' });\n`;
  const project = t.testdir({ 'image.ts': image("import { word } from './word.js';"), 'word.ts': "export const word = 'A';\n", 'run.sh': 'true\n' });
  const { next, changes, end } = watched(t, project);
  const first = await next();
  t.match(first, 'shell: run.sh');
  writeFileSync(join(project, 'run.sh'), 'false\n');
  await next();
  writeFileSync(join(project, 'word.ts'), 'export const = 1;\n');
  t.match(await next(), /expected/i);
  writeFileSync(join(project, 'image.ts'), image("import { word } from './other.js';"));
  t.match(await next(), /resolve/);
  writeFileSync(join(project, 'other.ts'), "export const word = 'A';\n");
  t.equal(await next(), first, 'the file that was missing is there');
  await end();
  t.same(changes.map(([path]) => path), ['run.sh', 'word.ts', 'image.ts', 'other.ts']);
});

t.test('a change ends the round that is going on', { timeout: 60_000 }, async (t) => {
  const project = t.testdir({ 'image.ts': "import { App, Image } from 'bake-sdk';\nimport { NullSource } from 'bake-sdk/null';\nnew NullSource(new Image(new App(), 'Web'), 'Here');\n" });
  const watch = watched(t, project);
  watch.hold = true;
  await watch.next();
  writeFileSync(join(project, 'bake.json'), '{ "app": "image.ts" }');
  await watch.next();
  t.same(watch.aborted, ['bake.json changed']);
  await watch.end();
  t.same(watch.aborted, ['bake.json changed', 'over']);
});
