import { join } from 'node:path';
import type { EventBody, IoHost } from '../core/events.js';
import type { Extension } from '../engine/extension.js';
import { Masker } from '../engine/masker.js';
import { OutputClaims } from '../engine/output-claims.js';
import { Registry } from '../engine/registry.js';
import { RunStore } from '../engine/run-store.js';
import { SecretStore } from '../engine/secret-store.js';
import { type EngineServices, notifier } from '../engine/services.js';
import { cacheFolder } from './host/cache-folder.js';
import { systemClock } from './host/clock.js';
import { systemExec } from './host/exec.js';
import { systemIds } from './host/ids.js';
import { announceRun, homeOfRuns } from './host/live-runs.js';
import { projectName } from './project-name.js';
import { LoggingHost } from './host/log-file.js';
import { ownIdentity } from './host/processes.js';
import { type PinChoice, projectPins } from './project-pins.js';
import type { SynthesizedApp } from './synth-app.js';

export interface OpenRun {
  readonly services: EngineServices;
  readonly notify: (event: EventBody) => void;
  /** Path of the log. */
  readonly log: string;
  readonly startedAt: number;
  /** To be called at its end, however it ended. */
  close(): Promise<void>;
}

export interface RunFacts {
  readonly extensions: readonly Extension[];
  readonly env: NodeJS.ProcessEnv;
  readonly host: IoHost;
  readonly force: boolean;
  /** @default - lookups are pinned as the project's file says */
  readonly pins?: PinChoice;
  /** Ids of the builds that it is to make. */
  readonly builds: readonly string[];
}

/** Begins a run: its journal, its log, and all that it works with. */
export async function openRun(app: SynthesizedApp, { extensions, env, host: inner, force, pins, builds }: RunFacts): Promise<OpenRun> {
  const { project } = app;
  const id = systemIds.runId();
  const exec = systemExec(id);
  const startedAt = systemClock.now();
  const identity = await ownIdentity(exec);
  const { folder, journal } = await new RunStore(project).create({ run: id, process: identity, project, builds, at: startedAt });
  const retire = await announceRun(id, identity);
  const home = await homeOfRuns();
  const log = join(folder, 'log.jsonl');
  const host = new LoggingHost(inner, log);
  const masker = new Masker();
  const services: EngineServices = {
    registry: new Registry(extensions), journal, masker, exec, host, clock: systemClock, ids: systemIds,
    secrets: new SecretStore({ env, variables: app.variables, literals: app.literals, project }, masker),
    outputs: new OutputClaims({ folder: join(project, '.bake', 'outputs'), force }), pins: projectPins(project, masker, pins),
    run: { id, folder, project, cache: cacheFolder(env), assets: join(app.outDir, 'assets'), force, home, projectName: await projectName(project) },
  };
  return {
    services, log, startedAt, notify: notifier(services),
    async close() {
      await journal.close();
      await host.close();
      await retire();
    },
  };
}
