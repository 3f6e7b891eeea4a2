import { PassThrough } from 'node:stream';
import type { CliIo } from '../../lib/cli/command.js';
import type { InterruptNotes, Interrupts } from '../../lib/cli/interrupts.js';
import type { OutputStream } from '../../lib/cli/terminal/output-stream.js';
import type { BakeEvent } from '../../lib/core/events.js';
import type { ExecRequest } from '../../lib/core/ports.js';
import type { Plan } from '../../lib/plan/plan.js';
import type { RunReport, Synthesis, Toolkit } from '../../lib/toolkit/toolkit-api.js';

/** Collects what is written; its size changes by `resize`. */
export class FakeStream implements OutputStream {
  text = '';
  columns: number;
  rows: number;
  readonly isTTY: boolean;
  readonly #listeners = new Set<() => void>();

  constructor(terminal?: { readonly columns: number; readonly rows: number }) {
    this.isTTY = terminal !== undefined;
    this.columns = terminal?.columns ?? 80;
    this.rows = terminal?.rows ?? 24;
  }
  write(text: string): boolean {
    this.text += text;
    return true;
  }
  on(_event: 'resize', listener: () => void): this {
    this.#listeners.add(listener);
    return this;
  }
  off(_event: 'resize', listener: () => void): this {
    this.#listeners.delete(listener);
    return this;
  }
  resize(columns: number, rows: number): void {
    Object.assign(this, { columns, rows });
    for (const listener of this.#listeners) listener();
  }
  get lines(): readonly string[] {
    return this.text.split('\n').slice(0, -1);
  }
}

/** Time that stands still until a test moves it; timers go off on the way. */
export class FakeTimers {
  at = 0;
  readonly #timers = new Set<{ readonly period: number; readonly tick: () => void; due: number }>();

  readonly now = (): number => this.at;
  readonly every = (period: number, tick: () => void): (() => void) => {
    const timer = { period, tick, due: this.at + period };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };
  pass(milliseconds: number): void {
    const end = this.at + milliseconds;
    for (;;) {
      const [next] = [...this.#timers].filter((timer) => timer.due <= end).sort((a, b) => a.due - b.due);
      if (next === undefined) break;
      this.at = next.due;
      next.due += next.period;
      next.tick();
    }
    this.at = end;
  }
}

/** Interrupts that a test makes happen. */
export class FakeInterrupts implements Interrupts {
  readonly controller = new AbortController();
  lastWords = (): string => '';
  isForOthers: (() => boolean) | undefined;
  onFirst = (): void => {};

  guard<T>(work: (signal: AbortSignal) => Promise<T>, notes: InterruptNotes): Promise<T> {
    Object.assign(this, notes);
    return work(this.controller.signal);
  }
}

/**
 * A toolkit that does nothing: each method gives what the test put there, or says that it was not expected. Calls are
 * kept in `calls`. As the real one does, `run` tells its host that it started and finished.
 */
export class FakeToolkit implements Toolkit {
  readonly calls: { readonly method: string; readonly options: Readonly<Record<string, unknown>> }[] = [];
  synthesis: Synthesis | Error = new Error('no synth expected');
  diagnostics: Awaited<ReturnType<Toolkit['check']>> = [];
  report: RunReport | Error = new Error('no run expected');
  events: readonly BakeEvent[] = [];
  forecasts: Awaited<ReturnType<Toolkit['forecast']>> = [];
  shellReport: Awaited<ReturnType<Toolkit['shell']>> | Error = new Error('no shell expected');
  cleaned: Awaited<ReturnType<Toolkit['clean']>> = { removed: [], left: [], spared: [] };
  pruned: Awaited<ReturnType<Toolkit['prune']>> = { removed: [], outcomes: [], rests: [], problems: [], left: { count: 0, bytes: 0, used: 0 } };
  built: Awaited<ReturnType<Toolkit['images']>> = [];
  made: Awaited<ReturnType<Toolkit['outputs']>> = [];
  health: Awaited<ReturnType<Toolkit['doctor']>> = [];
  allowed: Awaited<ReturnType<Toolkit['policies']>> = [];
  retired: Awaited<ReturnType<Toolkit['pruneImages']>> = [];

  async synth(options: Parameters<Toolkit['synth']>[0]): Promise<Synthesis> {
    this.#called('synth', options);
    if (this.synthesis instanceof Error) throw this.synthesis;
    return this.synthesis;
  }
  async check(options: Parameters<Toolkit['check']>[0]): ReturnType<Toolkit['check']> {
    this.#called('check', options);
    return this.diagnostics;
  }
  async run(options: Parameters<Toolkit['run']>[0]): Promise<RunReport> {
    this.#called('run', options);
    if (this.report instanceof Error) throw this.report;
    const { run, status, builds, leftovers } = this.report;
    options.host.notify({ type: 'run.started', run, at: 0, log: '/project/.bake/runs/r1/log.jsonl', builds: builds.map(({ build }) => ({ id: build, platform: 'null', steps: 1 })) });
    for (const event of this.events) options.host.notify(event);
    options.host.notify({ type: 'run.finished', run, status, builds, leftovers, milliseconds: 5, at: 5 });
    return this.report;
  }
  async forecast(options: Parameters<Toolkit['forecast']>[0]): ReturnType<Toolkit['forecast']> {
    this.#called('forecast', options);
    return this.forecasts;
  }
  /** A round, and another one after a change. */
  async watch(options: Parameters<Toolkit['watch']>[0]): Promise<void> {
    this.#called('watch', options);
    await options.round(this, options.signal);
    options.onWait(3);
    options.onChange(['image.ts', 'files/a', 'files/b', 'files/c']);
    await options.round(this, options.signal);
  }
  async pruneImages(options: Parameters<Toolkit['pruneImages']>[0]): ReturnType<Toolkit['pruneImages']> {
    this.#called('pruneImages', options);
    return this.retired;
  }
  async policies(options: Parameters<Toolkit['policies']>[0]): ReturnType<Toolkit['policies']> {
    this.#called('policies', options);
    return this.allowed;
  }
  async shell(options: Parameters<Toolkit['shell']>[0]): ReturnType<Toolkit['shell']> {
    this.#called('shell', options);
    if (this.shellReport instanceof Error) throw this.shellReport;
    options.onEnter('Web/Docker after it');
    return this.shellReport;
  }
  async clean(options: Parameters<Toolkit['clean']>[0]): ReturnType<Toolkit['clean']> {
    this.#called('clean', options);
    return this.cleaned;
  }
  async prune(options: Parameters<Toolkit['prune']>[0]): ReturnType<Toolkit['prune']> {
    this.#called('prune', options);
    return this.pruned;
  }
  async images(options: Parameters<Toolkit['images']>[0]): ReturnType<Toolkit['images']> {
    this.#called('images', options);
    return this.built;
  }
  async outputs(options: Parameters<Toolkit['outputs']>[0]): ReturnType<Toolkit['outputs']> {
    this.#called('outputs', options);
    return this.made;
  }
  async doctor(options: Parameters<Toolkit['doctor']>[0]): ReturnType<Toolkit['doctor']> {
    this.#called('doctor', options);
    return this.health.filter(({ platform }) => options.platforms === undefined || options.platforms.includes(platform));
  }
  #called(method: string, options: object): void {
    this.calls.push({ method, options: { ...options } });
  }
}

export interface FakeIo extends CliIo {
  readonly stdout: FakeStream;
  readonly stderr: FakeStream;
  readonly stdin: PassThrough & { isTTY?: boolean };
  readonly fakeToolkit: FakeToolkit;
  readonly fakeInterrupts: FakeInterrupts;
  readonly timers: FakeTimers;
  readonly commands: ExecRequest[];
  /** Who is to be told of line ends that are typed. */
  readonly typists: Set<(count: number) => void>;
}

/** A command line's world that is all in memory, but for the files under `cwd`. */
export function fakeIo({ cwd = '/project', env = {}, terminal, exitCodes = {} }: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>>; readonly terminal?: { readonly columns: number; readonly rows: number }; readonly exitCodes?: Readonly<Record<string, number>> } = {}): FakeIo {
  const fakeToolkit = new FakeToolkit();
  const fakeInterrupts = new FakeInterrupts();
  const timers = new FakeTimers();
  const commands: ExecRequest[] = [];
  const typists = new Set<(count: number) => void>();
  const stdin: PassThrough & { isTTY?: boolean } = new PassThrough();
  stdin.isTTY = terminal !== undefined;
  return {
    stdout: new FakeStream(terminal), stderr: new FakeStream(terminal), stdin, env, cwd, now: timers.now, every: timers.every, interrupts: fakeInterrupts, beforeExit: () => () => {}, terminal: () => (terminal === undefined ? undefined : { type: 'xterm', size: () => terminal, onResize: () => () => {}, raw: (work) => work(stdin, new PassThrough()) }),
    typed: (onLines) => { typists.add(onLines); return () => typists.delete(onLines); },
    toolkit: async () => fakeToolkit,
    exec: async () => ({ run: async (request) => { commands.push(request); return { code: exitCodes[request.command] ?? 0, signal: null, stdout: '', stderr: '' }; } }),
    fakeToolkit, fakeInterrupts, timers, commands, typists,
  };
}

/** A plan with one build and the steps given. */
export function planOf(image: string, steps: readonly (Partial<Plan['steps'][number]> & { readonly id: string })[], build = `${image}/Docker`): Plan {
  return {
    schema: 1, image, tags: {},
    builds: [{ id: build, name: build.slice(build.lastIndexOf('/') + 1), platform: 'docker', artifact: { $ref: `${build}/Image#artifact` } }],
    steps: steps.map((step, index) => ({
      kind: 'shell.script', title: step.id, role: 'provisioner', spec: {}, lifetime: 'none', build,
      needs: index === 0 ? [] : [steps[index - 1]!.id], ...step,
    })),
  };
}
