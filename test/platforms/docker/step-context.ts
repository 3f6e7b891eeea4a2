import { mkdtempSync, rmSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { StepContext } from '../../../lib/engine/handler.js';
import { OutputClaims } from '../../../lib/engine/output-claims.js';
import { systemClock } from '../../../lib/toolkit/host/clock.js';
import { systemExec } from '../../../lib/toolkit/host/exec.js';
import { systemIds } from '../../../lib/toolkit/host/ids.js';

/** A step context whose doings can be looked at. */
export interface TestContext extends StepContext {
  readonly lines: string[];
  readonly warnings: { readonly code: string; readonly message: string }[];
  readonly bars: { readonly label: string; readonly current: number; readonly total?: number }[];
  readonly masked: string[];
}

export interface TestContextOptions {
  readonly token?: string;
  readonly project?: string;
  readonly signal?: AbortSignal;
  readonly exec?: StepContext['exec'];
}

/** Contexts of one run; each with a token of its own unless told otherwise. */
export function contextsOf(t: Test): (options?: TestContextOptions) => TestContext {
  const folder = mkdtempSync(join(tmpdir(), 'bake-test-docker-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const run = `test-${randomBytes(4).toString('hex')}`;
  return ({ token = `${run}-${randomBytes(4).toString('hex')}`, project = folder, signal = new AbortController().signal, exec = systemExec() } = {}) => {
    const lines: string[] = [];
    const warnings: TestContext['warnings'] = [];
    const bars: { label: string; current: number; total?: number }[] = [];
    const masked: string[] = [];
    return {
      step: { id: 'Web/Docker/Step', kind: 'docker.test', title: 'test', build: 'Web/Docker', buildName: 'Docker', platform: 'docker' },
      run: { id: run, tmp: join(folder, 'tmp', token), logs: join(folder, 'logs'), project, cache: join(folder, 'cache'), force: false },
      token, signal, clock: systemClock, exec, ids: systemIds,
      log: (line) => { lines.push(line); },
      progress: (bar) => { bars.push(bar); },
      warn: (warning) => { warnings.push(warning); },
      ask: async (question) => question.fallback,
      maskSecret: (value) => { masked.push(value); },
      connect: async () => { throw new Error('no communicator in this test'); },
      outputs: new OutputClaims({ folder: join(folder, 'outputs'), force: false }),
      pin: (_what, _schema, lookup) => lookup(false),
      lines, warnings, bars, masked,
    };
  };
}
