import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { manifestHandler } from '../../../lib/post-processors/manifest/engine/manifest-handler.js';
import { need } from '../../support/need.js';
import { smallDisk } from '../../support/small-disk.js';
import { stepContext } from '../../support/step-context.js';
import { imageArtifact } from '../file-artifact.js';

const program = join(dirname(fileURLToPath(import.meta.url)), 'append-entries.ts');
const start = (...args: readonly string[]) => new Promise<number | null>((resolve, reject) => {
  const child = spawn(process.execPath, ['--import=tsx', program, ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
  child.on('error', reject).on('exit', resolve);
});

t.test('eight processes add to one file, one more dies with the lock in its hands: nothing is lost and the file is never torn', async (t) => {
  const folder = t.testdir({});
  const path = join(folder, 'm.json');
  let isOver = false;
  let reads = 0;
  const reader = (async () => {
    for (; !isOver; await new Promise((next) => { setImmediate(next); })) {
      if (!existsSync(path)) continue;
      JSON.parse(readFileSync(path, 'utf8'));
      reads++;
    }
  })();
  const names = Array.from({ length: 8 }, (_, index) => `process-${index}`);
  const codes = await Promise.all([start(folder, 'dies', '3', 'die'), ...names.map((name) => start(folder, name, '20'))]);
  isOver = true;
  await reader;
  t.same(codes, [null, ...names.map(() => 0)]);
  t.ok(reads > 10, `read ${reads} times meanwhile`);
  const { builds } = JSON.parse(readFileSync(path, 'utf8')) as { builds: { name: string }[] };
  t.equal(new Set(builds.map(({ name }) => name)).size, 8 * 20 + 3);
  t.equal(builds.length, 8 * 20 + 3);
  t.notOk(readdirSync(folder).some((name) => name.endsWith('.part')));
});

t.test('a full disk is an error that says so, and the old file stays whole', async (t) => {
  if (!(await need(t, 'tmpfs'))) return;
  const disk = await smallDisk(t, 16);
  const output = join(disk, 'm.json');
  const add = (size: number) => manifestHandler.acquire({ artifact: imageArtifact, output, customData: { fill: 'x'.repeat(size) } }, stepContext(t));
  await add(1_000);
  const before = readFileSync(output, 'utf8');
  await t.rejects(add(20_000), { code: 'DiskFull', message: /m\.json/ });
  t.equal(readFileSync(output, 'utf8'), before);
  t.same(readdirSync(disk), ['m.json']);
});
