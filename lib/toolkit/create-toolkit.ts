import { access } from 'node:fs/promises';
import type { Extension } from '../engine/extension.js';
import { systemClock } from './host/clock.js';
import { systemExec } from './host/exec.js';
import { findApp } from './load/find-app.js';
import { synthApp } from './synth-app.js';
import type { PlatformHealth, Toolkit } from './toolkit-api.js';

export interface ToolkitHost {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Told of each file and folder that an app is made of. @default - nobody asks */
  readonly onInput?: (path: string) => void;
}

/** Puts the parts together. What a method does not need, it does not load: synth knows no catalogue and no engine. */
export function createToolkit({ cwd, env, onInput }: ToolkitHost): Toolkit {
  const exec = systemExec();
  const host = { cwd, env, exec, ...(onInput === undefined ? {} : { onInput }) };
  return {
    async synth({ foresee = false, ...options }) {
      if (!foresee) return synthApp(options, host);
      const { foreseeApp } = await import('./foresee-app.js');
      return foreseeApp(options, host);
    },
    async check(options) {
      const { checkTypes } = await import('./check-types.js');
      return checkTypes(await findApp(options.app, cwd), exec);
    },
    async run(options) {
      // The bundler works in a process of its own: meanwhile this one loads what comes after it.
      const engine = Promise.all([import('./run-app.js'), import('./catalogue.js')]);
      engine.catch(() => {}); // told where it is awaited, if synth does not fail first
      const app = await synthApp(options, host);
      const [{ runApp }, { extensions }] = await engine;
      return runApp(app, options, extensions, env);
    },
    async forecast(options) {
      const app = await synthApp(options, host);
      const [{ forecastApp }, { extensions }] = await Promise.all([import('./forecast-app.js'), import('./catalogue.js')]);
      return forecastApp(app, options, extensions, env);
    },
    async watch(options) {
      const { watchApp } = await import('./watch/watch-app.js');
      return watchApp(options, { cwd, clock: systemClock, toolkit: (tell) => createToolkit({ cwd, env, onInput: tell }) });
    },
    async shell(options) {
      const [{ openShell }, { extensions }] = await Promise.all([import('./shell/open-shell.js'), import('./catalogue.js')]);
      return openShell(options, host, extensions);
    },
    async clean(options) {
      const [{ cleanRuns }, { extensions }] = await Promise.all([import('./clean-runs.js'), import('./catalogue.js')]);
      return cleanRuns(options, extensions, env);
    },
    async prune(options) {
      const [{ pruneStore }, { extensions }] = await Promise.all([import('./prune-store.js'), import('./catalogue.js')]);
      return pruneStore(options, extensions, env);
    },
    async pruneImages(options) {
      const [{ pruneImages }, { extensions }] = await Promise.all([import('./prune-images.js'), import('./catalogue.js')]);
      return pruneImages(options, extensions);
    },
    async images(options) {
      const [{ builtImages }, { extensions }] = await Promise.all([import('./built-images.js'), import('./catalogue.js')]);
      return builtImages(options, extensions, env);
    },
    async outputs(options) {
      const { buildOutputs } = await import('./built-images.js');
      return buildOutputs(options, env);
    },
    async policies({ platforms, ...options }) {
      const [{ plans }, { appPolicies }, { extensions }] = await Promise.all([synthApp(options, host), import('./app-policies.js'), import('./catalogue.js')]);
      return appPolicies(plans, extensions, platforms);
    },
    async doctor({ platforms }) {
      const { extensions } = await import('./catalogue.js');
      const asked = extensions.filter((extension) => extension.doctor !== undefined && (platforms === undefined || platforms.includes(extension.name)));
      const host = { exec, os: process.platform, hasApt: await isThere('/usr/bin/apt-get'), isRoot: process.getuid?.() === 0 };
      return Promise.all(asked.map(async (extension: Extension): Promise<PlatformHealth> => ({ platform: extension.name, checks: await extension.doctor!(host) })));
    },
  };
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(() => true, () => false);
}
