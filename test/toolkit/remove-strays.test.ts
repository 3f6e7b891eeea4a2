import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Extension, ScanHost, Stray } from '../../lib/engine/extension.js';

const folder = mkdtempSync(join(tmpdir(), 'bake-test-strays-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
process.env['TMPDIR'] = folder; // the marks of live runs are there, and they ask as they are loaded
const { removeStrays } = await import('../../lib/toolkit/remove-strays.js');
const { announceRun, homeOfRuns } = await import('../../lib/toolkit/host/live-runs.js');
const { ownIdentity } = await import('../../lib/toolkit/host/processes.js');
const { systemExec } = await import('../../lib/toolkit/host/exec.js');
const { systemIds } = await import('../../lib/toolkit/host/ids.js');

const options = { project: folder, dryRun: false, signal: new AbortController().signal };

/** An extension that finds these; what was removed is told. */
function finding(...strays: readonly Omit<Stray, 'kind' | 'remove'>[]) {
  const removed: string[] = [];
  const hosts: ScanHost[] = [];
  const extension: Extension = { name: 'ec2', steps: [], scan: async (host) => { hosts.push(host); return strays.map((stray) => ({ ...stray, kind: 'instance', remove: async () => { removed.push(stray.title); } })); } };
  return { extension, removed, hosts };
}

t.test('what another computer made is touched only when its run must be over', async (t) => {
  const home = await homeOfRuns();
  t.equal(await homeOfRuns(), home, 'it is the same each time');
  const run = systemIds.runId();
  const old = '20200102t030405-abcdef';
  const { extension, removed } = finding({ title: 'ours', run, home }, { title: 'local', run }, { title: 'theirs', run, home: 'ffff' }, { title: 'long dead', run: old, home: 'ffff' }, { title: 'strange', run: 'x', home: 'ffff' });
  const report = await removeStrays(options, [extension]);
  t.same(removed, ['ours', 'local', 'long dead']);
  t.match(report.spared, [{ title: 'theirs', reason: new RegExp(`run ${run} of another computer may still be going on`) }, { title: 'strange' }]);
  const again = await removeStrays({ ...options, olderThan: 0, dryRun: true }, [extension]);
  t.match(again.removed.map(({ title }) => title), ['ours', 'local', 'theirs', 'long dead']);
  t.equal(removed.length, 3, 'a dry run touches nothing');
});

t.test('a run that is alive here keeps what it has', async (t) => {
  const run = systemIds.runId();
  const retire = await announceRun(run, await ownIdentity(systemExec()));
  const { extension, removed } = finding({ title: 'alive', run, home: await homeOfRuns() });
  t.same(await removeStrays({ ...options, olderThan: 0 }, [extension]), { removed: [], left: [], spared: [] });
  await retire();
  await removeStrays(options, [extension]);
  t.same(removed, ['alive']);
});

t.test('only the platforms and regions that are named are looked at', async (t) => {
  const { extension, hosts } = finding();
  const docker: Extension = { name: 'docker', steps: [], scan: async () => { throw new Error('no daemon'); } };
  t.match(await removeStrays(options, [extension, docker]), { left: [{ title: 'scan of docker', reason: 'no daemon' }] });
  t.same((await removeStrays({ ...options, platforms: ['ec2'], regions: ['eu-west-1'] }, [extension, docker])).left, []);
  t.same(hosts.map(({ regions }) => regions), [undefined, ['eu-west-1']]);
  await t.rejects(removeStrays({ ...options, platforms: ['ec3'] }, [extension, docker]), { code: 'UnknownPlatform', hint: /"ec2"/ });
});
