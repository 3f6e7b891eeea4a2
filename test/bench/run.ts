// `npm run bench`: bake next to Debian's Packer and to the same work by hand, in one run on one machine.
// Usage: npm run bench [-- filter] ; prints a table and writes test/bench/last.json.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { baseImage } from '../platforms/docker/base-image.js';
import { baseTarball } from '../support/base-tarball.js';
import { freePort, startSshd } from '../support/sshd.js';
import { tinyGuest } from '../support/tiny-guest.js';
import { cacheCase } from './cache-cases.js';
import { checkpointCosts, formatCosts } from './checkpoint-costs.js';
import { type BenchHost, type Case, dockerCase, helpCase, parallelCase, sshCase, synthCase } from './cases.js';
import { ec2Case, startEc2 } from './ec2-cases.js';
import { type Command, median, peak, time } from './measure.js';
import { qemuCase } from './qemu-cases.js';
import { sshFileCase, sshFolderCase } from './ssh-cases.js';

const runs = Number(process.env['BAKE_BENCH_RUNS'] ?? 5);
const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
const [filter = ''] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'bake-bench-'));
const sshd = await startSshd();
const host: BenchHost = { folder, bake: join(root, 'dist/bin/bake.js'), image: await baseImage(), sshd };
const byHand = join(here, 'docker-by-hand.mjs');
const machine = { ...host, guest: await tinyGuest(), port: await freePort(), byHand: join(here, 'qemu-by-hand.sh') };
const ec2 = await startEc2(await freePort());
const cached = { ...machine, tarball: await baseTarball() };
const cacheCases = (['docker', 'rootfs', 'qemu'] as const).flatMap((platform) => (['unchanged', 'last shell edited'] as const).map((change) => cacheCase(cached, platform, change)));
const cases = [helpCase(host), synthCase(host), parallelCase(host, 1), parallelCase(host, 100), parallelCase(host, 400), dockerCase(host, 5, byHand), dockerCase(host, 25, byHand), sshCase(host, 1), sshCase(host, 20), sshFileCase(host, 512, 'known'), sshFileCase(host, 512, 'changed'), sshFolderCase(host, 5_000, 'known'), sshFolderCase(host, 5_000, 'changed'), qemuCase(machine, 3), ...[1, 10, 50].map((builds) => ec2Case({ ...host, cloud: ec2.cloud }, builds)), ...cacheCases];

interface Row {
  readonly name: string;
  readonly wall: number;
  readonly cpu: number;
  readonly memory?: number;
  readonly processes?: number;
  /** Of one run. */
  readonly calls?: Readonly<Record<string, number>>;
}

async function measure(name: string, command: Command, count: number, { memory, calls }: Pick<Case, 'memory' | 'calls'>): Promise<Row> {
  if (count > 1) await time(command);
  const samples = [];
  for (let i = 0; i < count; i++) samples.push(await time(command));
  const row = { name, wall: median(samples.map((sample) => sample.wall)), cpu: median(samples.map((sample) => sample.cpu)) };
  calls?.();
  const most = memory === true ? await peak(command) : {};
  return { ...row, ...most, ...(calls === undefined ? {} : { calls: calls() }) };
}

async function report(one: Case): Promise<object> {
  console.log(`\n${one.name}`);
  const rows: Row[] = [];
  for (const { name, run, runs: own } of [{ name: 'bake', run: one.bake, runs }, ...one.others]) {
    const row = await measure(name, run, Math.min(own ?? runs, runs), one);
    rows.push(row);
    const memory = row.memory === undefined ? '' : `  ${row.memory.toFixed(0).padStart(6)} MiB  ${String(row.processes).padStart(5)} processes`;
    console.log(`  ${name.padEnd(24)} ${row.wall.toFixed(3).padStart(8)} s  cpu ${row.cpu.toFixed(3).padStart(8)} s${memory}`);
    if (row.calls !== undefined) console.log(`    ${Object.values(row.calls).reduce((sum, count) => sum + count, 0)} calls: ${Object.entries(row.calls).map(([action, count]) => `${action} ${count}`).join(', ')}`);
  }
  const bake = rows[0]!;
  const { goal } = one;
  const limit = 'seconds' in goal ? goal.seconds : goal.ratio * (rows.find((row) => row.name === goal.to)?.wall ?? NaN);
  console.log(`  goal ${limit.toFixed(3)} s: ${bake.wall <= limit ? 'met' : `missed by ${(bake.wall - limit).toFixed(3)} s`}`);
  return { case: one.name, rows, limit };
}

try {
  const results: object[] = [];
  for (const one of cases.filter((candidate) => candidate.name.includes(filter))) results.push(await report(one));
  for (const platform of (['docker', 'rootfs', 'qemu'] as const).filter((name) => `checkpoints: ${name}`.includes(filter))) {
    console.log(`\ncheckpoints: ${platform}`);
    for (const shells of [10, 100]) {
      const costs = await checkpointCosts(cached, platform, shells);
      console.log(formatCosts(costs));
      results.push(costs);
    }
  }
  writeFileSync(join(here, 'last.json'), `${JSON.stringify({ node: process.version, packer: execFileSync('packer', ['version'], { encoding: 'utf8', env: { ...process.env, CHECKPOINT_DISABLE: '1' } }).trim(), runs, results }, undefined, 2)}\n`);
} finally {
  ec2.cloud.close();
  ec2.process.kill('SIGKILL');
  await sshd.stop();
  rmSync(folder, { recursive: true, force: true });
}
