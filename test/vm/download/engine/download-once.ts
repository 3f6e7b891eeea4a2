// One run of a download in a process of its own: `download-once.ts <cache> <url> <checksum>`; prints what came out.
import { systemClock } from '../../../../lib/toolkit/host/clock.js';
import { systemExec } from '../../../../lib/toolkit/host/exec.js';
import { systemIds } from '../../../../lib/toolkit/host/ids.js';
import { OutputClaims } from '../../../../lib/engine/output-claims.js';
import { downloadHandler } from '../../../../lib/vm/download/engine/download-handler.js';

const [, , cache = '', url = '', checksum = ''] = process.argv;
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const output = await downloadHandler().run({ urls: [url], checksum }, {
  step: { id: 'x', kind: 'vm.download', title: 'download', build: 'Image/Source', buildName: 'Source', platform: 'null' },
  run: { id: 'run-1', tmp: cache, logs: cache, project: cache, cache, force: false },
  token: 'run-1-x', signal: new AbortController().signal, clock: systemClock, exec: systemExec(), ids: systemIds,
  log: (line) => { say({ line }); },
  progress: ({ current }) => { say({ current }); },
  warn: say, ask: async ({ fallback }) => fallback, maskSecret: () => {}, connect: () => Promise.reject(new Error('no machine here')),
  outputs: new OutputClaims({ folder: cache, force: false }),
  pin: (_what, _schema, lookup) => lookup(false),
});
say({ output });
