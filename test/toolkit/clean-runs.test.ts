import t from 'tap';
import { cleanRuns } from '../../lib/toolkit/clean-runs.js';

t.test('a run that was killed before its journal began left nothing, and is no failure', async (t) => {
  const project = t.testdir({ '.bake': { runs: { early: {}, torn: { 'journal.jsonl': '' } } } });
  const host = { notify: () => {}, ask: async () => '' };
  const report = await cleanRuns({ project, scan: false, dryRun: false, signal: new AbortController().signal, host }, [], {});
  t.same(report, { removed: [], left: [], spared: [] });
});
