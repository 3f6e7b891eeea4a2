import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { OutputClaims } from '../../../lib/engine/output-claims.js';
import type { StepContext } from '../../../lib/engine/handler.js';
import { sha256 } from '../../../lib/core/json.js';
import { systemClock } from '../../../lib/toolkit/host/clock.js';
import { systemExec } from '../../../lib/toolkit/host/exec.js';
import { systemIds } from '../../../lib/toolkit/host/ids.js';

export interface TestContextOptions {
  readonly project: string;
  /** Stands for the step's id: the same name has the same token. */
  readonly name: string;
  /** @default 'run1' */
  readonly run?: string;
  readonly signal?: AbortSignal;
  readonly force?: boolean;
}

export type TestContext = StepContext & { readonly lines: string[]; readonly warnings: { code: string; message: string }[]; readonly steps: { label: string; current: number; total?: number }[] };

/** A step's context on this computer, with what was said kept for looking at. */
export function stepContext({ project, name, run = 'run1', signal = new AbortController().signal, force = false }: TestContextOptions): TestContext {
  const lines: string[] = [];
  const warnings: TestContext['warnings'] = [];
  const steps: TestContext['steps'] = [];
  return {
    lines, warnings, steps,
    step: { id: name, kind: 'test', title: name, build: 'Web/Rootfs', buildName: 'Rootfs', platform: 'rootfs' },
    run: { id: run, tmp: join(project, '.bake', 'tmp'), logs: join(project, '.bake', 'logs'), project, cache: join(project, '.cache'), force },
    token: `${run}-${sha256(`${project} ${name}`).slice(0, 10)}`,
    signal, clock: systemClock, exec: systemExec(), ids: systemIds,
    log: (line) => { lines.push(line); },
    progress: (step) => { steps.push(step); },
    warn: (warning) => { warnings.push(warning); },
    ask: async ({ fallback }) => fallback,
    maskSecret: () => {},
    connect: () => Promise.reject(new Error('no connections here')),
    outputs: new OutputClaims({ folder: join(project, '.bake', 'outputs'), force }),
    pin: (_what, _schema, lookup) => lookup(false),
  };
}

/** An empty project folder. */
export async function emptyProject(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  return folder;
}
