import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { bake } from '../support/bake-cli.js';

/** Preloaded; writes the packages that were loaded when the process ends. */
const spy = `import module from 'node:module';
process.on('exit', () => {
  const names = Object.keys(module._cache).map((path) => /node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(path)?.[1]).filter(Boolean);
  console.error('LOADED ' + [...new Set(names)].sort().join(','));
});
`;

async function packagesOf(t: Test, args: readonly string[]): Promise<readonly string[]> {
  const project = t.testdir({ 'spy.mjs': spy, 'image.ts': `import { App, Image, Shell } from 'bake-sdk';\nimport { DockerSource } from 'bake-sdk/docker';\nconst image = new Image(new App(), 'Web');\nnew DockerSource(image, 'Docker', { image: 'debian:12' });\nnew Shell(image, 'Hi', { inline: ['true'] });\n` });
  const { code, stderr } = await bake(project, args, { NODE_OPTIONS: `--import ${pathToFileURL(join(project, 'spy.mjs')).href}` });
  t.equal(code, 0, stderr);
  return (/LOADED (.*)/.exec(stderr)?.[1] ?? '').split(',').filter((name) => name !== '');
}

t.test('help and version load no package at all', async (t) => {
  t.same(await packagesOf(t, ['--help']), []);
  t.same(await packagesOf(t, ['--version']), []);
});

t.test('ls and synth load what a tree needs, and no SDK', async (t) => {
  t.same(await packagesOf(t, ['ls']), ['constructs', 'esbuild']);
  t.same(await packagesOf(t, ['synth', '--quiet']), ['constructs', 'esbuild']);
});

