import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { JournalEntry } from '../../lib/engine/journal.js';
import type { Plan } from '../../lib/plan/plan.js';
import { resumedBuilds } from '../../lib/toolkit/resumed-builds.js';
import { ownIdentity } from '../../lib/toolkit/host/processes.js';
import { systemExec } from '../../lib/toolkit/host/exec.js';

const plans = ['Web/A', 'Web/B'].map((id): Plan => ({ schema: 1, image: 'Web', tags: {}, builds: [{ id, name: id, platform: 'null', artifact: { $ref: `${id}#artifact` } }], steps: [] }));

/** A project with these runs: which builds each was to make, and which it made. */
function project(t: Test, runs: Readonly<Record<string, { readonly builds?: readonly string[]; readonly made?: readonly string[]; readonly pid?: { readonly pid: number; readonly start: string } }>>): string {
  const folder = t.testdir();
  for (const [run, { builds, made = [], pid }] of Object.entries(runs)) {
    const entries: readonly JournalEntry[] = [
      { type: 'run.opened', version: 1, run, pid: pid?.pid ?? 1, processStart: pid?.start ?? 'long ago', project: folder, at: 0, ...(builds === undefined ? {} : { builds }) },
      ...made.map((build): JournalEntry => ({ type: 'build.succeeded', build, at: 1 })),
    ];
    mkdirSync(join(folder, '.bake/runs', run), { recursive: true });
    writeFileSync(join(folder, '.bake/runs', run, 'journal.jsonl'), entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  }
  return folder;
}
const resumed = async (folder: string, wanted: true | string) => [...await resumedBuilds({ plans, project: folder }, wanted)];

t.test('a run that failed is resumed with what it was to build', async (t) => {
  const folder = project(t, { r1: { builds: ['Web/A', 'Web/B'], made: ['Web/A'] }, r2: { builds: ['Web/B'] } });
  t.same(await resumed(folder, 'r1'), ['Web/A', 'Web/B']);
  t.same(await resumed(folder, true), ['Web/B'], 'of several the last one');
});

t.test('without a name it is the last one whose builds no later one has made; sessions do not count', async (t) => {
  const folder = project(t, { r1: { builds: ['Web/A'] }, r2: { builds: ['Web/B'] }, r3: { builds: ['Web/B'], made: ['Web/B'] }, r4: { builds: [] }, r5: {} });
  t.same(await resumed(folder, true), ['Web/A']);
  await t.rejects(resumed(project(t, { r1: { builds: ['Web/A'] }, r2: { builds: ['Web/A'], made: ['Web/A'] } }), true), { code: 'NothingFailed' });
});

t.test('what cannot be resumed is refused', async (t) => {
  const pid = await ownIdentity(systemExec());
  const folder = project(t, { r1: { builds: ['Web/A'], made: ['Web/A'] }, r2: { builds: ['Web/A'], pid }, r3: {}, r4: { builds: ['Web/Gone'] } });
  await t.rejects(resumed(folder, 'r1'), { code: 'RunSucceeded' });
  await t.rejects(resumed(folder, 'r2'), { code: 'RunIsAlive' });
  await t.rejects(resumed(folder, 'r3'), { code: 'RunNotResumable' }, 'a journal of old');
  await t.rejects(resumed(folder, 'r4'), { code: 'NoSuchBuild' });
  await t.rejects(resumed(folder, 'r22'), { code: 'NoSuchRun', hint: 'did you mean "r2"?' });
});
