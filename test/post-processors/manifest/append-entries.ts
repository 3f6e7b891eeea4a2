// A process that adds entries to a manifest: `append-entries.ts <project> <name> <count> [die]`. With `die` it dies in the
// middle, with the lock in its hands.
import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { manifestHandler } from '../../../lib/post-processors/manifest/engine/manifest-handler.js';
import { withFileLock } from '../../../lib/engine/file-lock.js';
import type { StepContext } from '../../../lib/engine/handler.js';
import { systemClock } from '../../../lib/toolkit/host/clock.js';
import { imageArtifact } from '../file-artifact.js';

const [project = '', name = '', count = '1', die] = process.argv.slice(2);
const signal = new AbortController().signal;
for (let index = 0; index < Number(count); index++) {
  const ctx = { step: { id: `Image/${name}:M${index}`, buildName: `${name}-${index}`, platform: 'null', build: `Image/${name}` }, run: { id: name, project, force: false }, token: `${name}-token`, clock: systemClock, signal };
  await manifestHandler.acquire({ artifact: imageArtifact, output: 'm.json' }, ctx as unknown as StepContext);
}
if (die !== undefined) {
  await withFileLock(join(project, 'm.json.lock'), { clock: systemClock, signal }, async () => {
    writeFileSync(join(project, `died-on-${hostname()}`), '');
    process.kill(process.pid, 'SIGKILL');
    await new Promise(() => {});
  });
}
