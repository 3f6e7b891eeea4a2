import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Communicator, Connection } from '../../lib/core/communicator.js';
import type { Question } from '../../lib/core/events.js';
import type { Clock, Exec } from '../../lib/core/ports.js';
import type { StepContext } from '../../lib/engine/handler.js';
import { OutputClaims } from '../../lib/engine/output-claims.js';
import { systemClock } from '../../lib/toolkit/host/clock.js';
import { systemExec } from '../../lib/toolkit/host/exec.js';
import { systemIds } from '../../lib/toolkit/host/ids.js';

export interface StepContextOptions {
  /** What `connect` gives. @default - connecting is an error */
  readonly connect?: (connection: Connection) => Communicator | Promise<Communicator>;
  /** The key chosen for a question. @default - the fallback's */
  readonly answer?: (question: Question) => string;
  /** The folder of `image.ts`. @default - a new folder of the test */
  readonly project?: string;
  /** The folder for what later runs may use again. @default - one in the project */
  readonly cache?: string;
  /** @default - the real ones */
  readonly clock?: Clock;
  readonly exec?: Exec;
  readonly signal?: AbortSignal;
  readonly force?: boolean;
  readonly step?: Partial<StepContext['step']>;
  /** @default 'run-1' */
  readonly runId?: string;
}

/** A step context that works on this computer and remembers what it was told. */
export interface TestStepContext extends StepContext {
  readonly logged: { readonly line: string; readonly stream: 'stdout' | 'stderr' | 'info' }[];
  /** Lines of one stream. */
  readonly lines: (stream?: 'stdout' | 'stderr' | 'info') => readonly string[];
  readonly progressed: Parameters<StepContext['progress']>[0][];
  readonly warned: Parameters<StepContext['warn']>[0][];
  readonly asked: Question[];
  readonly masked: string[];
}

/** Makes one whose folders are removed with the test. */
export function stepContext(t: Test, options: StepContextOptions = {}): TestStepContext {
  const folder = options.project ?? ownFolder(t);
  const runId = options.runId ?? 'run-1';
  const logged: TestStepContext['logged'] = [];
  const progressed: TestStepContext['progressed'] = [];
  const warned: TestStepContext['warned'] = [];
  const asked: Question[] = [];
  const masked: string[] = [];
  return {
    step: { id: 'Image/Source:Step', kind: 'test.step', title: 'a step', build: 'Image/Source', buildName: 'Source', platform: 'null', ...options.step },
    run: { id: runId, tmp: join(folder, '.bake', 'runs', runId, 'tmp', 'step'), logs: join(folder, '.bake', 'runs', runId, 'logs'), project: folder, cache: options.cache ?? join(folder, '.cache'), force: options.force ?? false },
    token: `${runId}-0123456789`,
    signal: options.signal ?? new AbortController().signal,
    clock: options.clock ?? systemClock, exec: options.exec ?? systemExec(), ids: systemIds,
    log: (line, stream = 'stdout') => { logged.push({ line, stream }); },
    progress: (progress) => { progressed.push(progress); },
    warn: (warning) => { warned.push(warning); },
    ask: async (question) => {
      asked.push(question);
      return options.answer?.(question) ?? question.fallback;
    },
    maskSecret: (value) => { masked.push(value); },
    connect: async (connection) => {
      if (options.connect === undefined) throw new Error('this step must not need a machine');
      return options.connect(connection);
    },
    outputs: new OutputClaims({ folder: join(folder, '.bake', 'outputs'), force: options.force ?? false }),
    pin: (_what, _schema, lookup) => lookup(false),
    logged, progressed, warned, asked, masked,
    lines: (stream = 'stdout') => logged.filter((entry) => entry.stream === stream).map((entry) => entry.line),
  };
}

/** Not `t.testdir`, which a test can have only once. */
function ownFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'bake-test-step-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
