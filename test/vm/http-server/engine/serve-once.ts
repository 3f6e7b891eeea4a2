// A process that starts a server and has nothing else to do: `serve-once.ts <folder> [wait]`; prints the handle.
import { OutputClaims } from '../../../../lib/engine/output-claims.js';
import { systemClock } from '../../../../lib/toolkit/host/clock.js';
import { systemExec } from '../../../../lib/toolkit/host/exec.js';
import { systemIds } from '../../../../lib/toolkit/host/ids.js';
import { httpServerHandler } from '../../../../lib/vm/http-server/engine/http-server-handler.js';

const [, , folder = '', wait] = process.argv;
const handle = await httpServerHandler().acquire({ directory: folder }, {
  step: { id: 'x', kind: 'vm.httpServer', title: 'web server', build: 'Image/Source', buildName: 'Source', platform: 'null' },
  run: { id: 'run-1', tmp: folder, logs: folder, project: folder, cache: folder, force: false },
  token: 'run-1-x', signal: new AbortController().signal, clock: systemClock, exec: systemExec(), ids: systemIds,
  log: () => {}, progress: () => {}, warn: () => {}, ask: async ({ fallback }) => fallback, maskSecret: () => {}, connect: () => Promise.reject(new Error('no machine here')),
  outputs: new OutputClaims({ folder, force: false }),
  pin: (_what, _schema, lookup) => lookup(false),
});
process.stdout.write(`${JSON.stringify(handle)}\n`);
if (wait !== undefined) process.stdin.resume();
