import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BakeError } from '../../core/bake-error.js';
import type { RemoteResult } from '../../core/communicator.js';
import type { Exec } from '../../core/ports.js';
import { Connections } from '../../engine/connections.js';
import type { Extension } from '../../engine/extension.js';
import { chooseKept, type KeptMachine, keptMachines } from '../../engine/kept-machine.js';
import { Masker } from '../../engine/masker.js';
import { Registry } from '../../engine/registry.js';
import { resolveSpec } from '../../engine/resolve-spec.js';
import { RunStore } from '../../engine/run-store.js';
import { SecretStore } from '../../engine/secret-store.js';
import { work } from '../../engine/session.js';
import { systemClock } from '../host/clock.js';
import { systemExec } from '../host/exec.js';
import { isAlive } from '../host/processes.js';
import type { ShellOptions, ShellReport } from '../toolkit-api.js';

/**
 * Lets somebody into what a run has left with `--on-error keep`. It stays as it is afterwards.
 * @throws BakeError `RunIsAlive`, `NothingKept`, `SeveralKept`
 */
export async function enterKept(project: string, options: ShellOptions, extensions: readonly Extension[], env: NodeJS.ProcessEnv): Promise<ShellReport> {
  const { target: run, build, session, signal, onEnter } = options;
  // With the run's stamp: when somebody cleans it, the shell goes as well.
  const exec = systemExec(run);
  const registry = new Registry(extensions);
  const stored = await new RunStore(project).read(run);
  const opened = stored?.ledger.opened;
  if (stored !== undefined && opened !== undefined && !stored.ledger.closed && await isAlive({ pid: opened.pid, start: opened.processStart }, exec)) {
    throw new BakeError({ code: 'RunIsAlive', message: `the run ${run} is still going on, as process ${opened.pid}`, hint: 'wait for its end' });
  }
  const machine = chooseKept(stored === undefined ? [] : await keptMachines(stored.ledger, registry), run, build);
  const report = (result: RemoteResult): ShellReport => ({ run, status: 'succeeded', code: result.code, leftovers: [] });
  if ('command' in machine.way) {
    onEnter(placeOf(machine));
    return report(await runEntry(machine.way.command, options, exec));
  }
  const secrets = new SecretStore({ env, variables: {}, literals: [], project }, new Masker());
  const connection = resolveSpec(machine.way.connection, { outputs: new Map(), secret: (secret) => secrets.resolve(secret), assets: '' }) as typeof machine.way.connection;
  const tmp = join(new RunStore(project).folderOf(run), 'tmp', `shell-${process.pid}`);
  await mkdir(tmp, { recursive: true, mode: 0o700 });
  const connections = new Connections(registry);
  try {
    const communicator = await connections.connect(machine.build, connection, { exec, clock: systemClock, signal, tmp, log: () => {} });
    onEnter(placeOf(machine));
    return report(await work(communicator, session, signal));
  } finally {
    await connections.closeAll();
    await rm(tmp, { recursive: true, force: true });
  }
}

function placeOf({ build, title }: KeptMachine): string {
  return `${build}: ${title}`;
}

async function runEntry(command: string, { session, signal }: ShellOptions, exec: Exec): Promise<RemoteResult> {
  const input = 'terminal' in session ? { terminal: true } : { stdin: session.commands, onStdout: session.onStdout, onStderr: session.onStderr };
  const { code } = await exec.run({ command: '/bin/sh', args: ['-c', command], signal, ...input });
  return { code, disconnected: false };
}
