import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bake } from './support/bake-cli.js';

const snippets = [...readFileSync('README.md', 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code);

t.test('every snippet of the README type-checks', async (t) => {
  t.ok(snippets.length > 7, `${snippets.length} snippets`);
  const folder = t.testdir(Object.fromEntries(snippets.map((code, index) => [`snippet${index}.ts`, code])));
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: { strict: true, noEmit: true, skipLibCheck: true, module: 'nodenext', target: 'es2022', types: ['node'] }, include: ['*.ts'] }));
  t.doesNotThrow(() => execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', folder], { encoding: 'utf8', stdio: 'pipe' }), 'tsc');
});

for (const [index, code] of snippets.entries()) {
  t.test(`snippet ${index + 1} of the README synthesizes`, async (t) => {
    const project = t.testdir({ 'image.ts': code });
    const { code: exit, stderr } = await bake(project, ['synth', '--quiet']);
    t.equal(exit, 0, stderr);
  });
}
