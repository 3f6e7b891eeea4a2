import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { BakeError } from '../../../core/bake-error.js';
import type { Communicator, RemoteResult } from '../../../core/communicator.js';
import { shellQuote } from '../../../core/quote.js';
import type { ActionHandler, StepContext } from '../../../engine/handler.js';
import type { z } from 'zod';
import type { shellScript } from '../steps.js';
import { wrapScript } from './wrap-script.js';

type ShellSpec = z.output<typeof shellScript.spec>;

const defaults = { executeCommand: '{{.Path}}', startRetryTimeout: 300_000, remoteFolder: '/tmp', inlineShebang: '/bin/sh -e', validExitCodes: [0] } as const;
/** Waits between tries to start, in milliseconds; they double. */
const retryDelay = { first: 50, longest: 2_000 } as const;

/** Runs each script in one channel of the machine's communicator. */
export const shellHandler: ActionHandler<ShellSpec, Record<string, never>> = {
  async check(spec) {
    const quoted = Object.entries(spec.environment ?? {}).find(([name, value]) => !(spec.secretNames ?? []).includes(name) && value.includes("'"));
    if (quoted === undefined || !/'[^']*\{\{\.Vars\}\}[^']*'/.test(spec.executeCommand ?? '')) return;
    throw new BakeError({ code: 'InvalidProps', message: `the value of "${quoted[0]}" has a single quote, which would end those around {{.Vars}}`, hint: 'use {{.EnvVarFile}} in executeCommand' });
  },

  async run(spec, ctx) {
    for (const script of await scriptsOf(spec)) await runScript(script, spec, ctx);
    if (spec.pauseAfter !== undefined) await ctx.clock.sleep(spec.pauseAfter, ctx.signal);
    return {};
  },
};

async function scriptsOf(spec: ShellSpec): Promise<readonly Uint8Array[]> {
  if (spec.inline !== undefined) {
    const shebang = spec.inline[0]?.startsWith('#!') ? '' : `#!${spec.inlineShebang ?? defaults.inlineShebang}\n`;
    return [Buffer.from(`${shebang}${spec.inline.join('\n')}\n`)];
  }
  return Promise.all((spec.scripts ?? []).map(async ({ path }) => {
    const content = await readFile(path);
    return spec.binary || content.includes(0) ? content : Buffer.from(content.toString('latin1').replaceAll('\r\n', '\n'), 'latin1');
  }));
}

async function runScript(script: Uint8Array, spec: ShellSpec, ctx: StepContext): Promise<void> {
  const mark = `bake-${ctx.ids.hex(8)}`;
  const path = spec.remotePath ?? posix.join(spec.remoteFolder ?? defaults.remoteFolder, `${mark}.sh`);
  const { build, buildName, platform } = ctx.step;
  const environment = { BAKE_BUILD: build, BAKE_BUILD_NAME: buildName, BAKE_PLATFORM: platform, BAKE_RUN_ID: ctx.run.id, PACKER_BUILD_NAME: buildName, PACKER_BUILDER_TYPE: platform, ...spec.environment };
  const stdin = wrapScript({ script, path, environment, secretNames: new Set(spec.secretNames), executeCommand: spec.executeCommand ?? defaults.executeCommand, skipClean: spec.skipClean ?? false, mark });
  const deadline = ctx.clock.now() + (spec.startRetryTimeout ?? defaults.startRetryTimeout);
  for (let delay: number = retryDelay.first; ; delay = Math.min(delay * 2, retryDelay.longest)) {
    const outcome = await tryOnce(stdin, mark, path, spec, ctx);
    if (outcome.hasStarted || !outcome.isTransport) return judge(outcome.result, spec);
    if (ctx.clock.now() + delay > deadline) throw outcome.error ?? lost('the connection was lost before the script started');
    ctx.log('the machine cannot be reached; trying again', 'info');
    await ctx.clock.sleep(delay, ctx.signal);
  }
}

interface Outcome {
  /** The mark has come: the script runs, and must not be started twice. */
  readonly hasStarted: boolean;
  readonly isTransport: boolean;
  readonly result: RemoteResult | undefined;
  readonly error: BakeError | undefined;
}

async function tryOnce(stdin: string, mark: string, path: string, spec: ShellSpec, ctx: StepContext): Promise<Outcome> {
  let hasStarted = false;
  let communicator: Communicator | undefined;
  try {
    communicator = await ctx.connect(spec.connection);
    const result = await communicator.exec({
      command: '/bin/sh -s', stdin, signal: ctx.signal,
      onStdout: (line) => ctx.log(line, 'stdout'),
      onStderr: (line) => { if (!hasStarted && line === mark) hasStarted = true; else ctx.log(line, 'stderr'); },
    });
    return { hasStarted, isTransport: result.disconnected, result, error: undefined };
  } catch (error) {
    if (ctx.signal.aborted) {
      // Killed without mercy, the script may not have removed itself; on a machine that is thrown away it does not matter.
      if (communicator !== undefined && spec.skipClean !== true) await removeLeftover(communicator, path);
      throw ctx.signal.reason;
    }
    if (!BakeError.is(error) || !error.transient) throw error;
    return { hasStarted, isTransport: true, result: hasStarted ? { code: null, disconnected: true } : undefined, error };
  }
}

async function removeLeftover(communicator: Communicator, path: string): Promise<void> {
  const patience = AbortSignal.timeout(1_000);
  await communicator.exec({ command: `rm -f ${shellQuote(path)} ${shellQuote(`${path}.env`)}`, signal: patience }).catch(() => {});
}

function judge(result: RemoteResult | undefined, spec: ShellSpec): void {
  if (result === undefined || result.disconnected || result.code === null) {
    if (spec.expectDisconnect) return;
    if (result?.disconnected === false) throw new BakeError({ code: 'ScriptFailed', message: `the script was ended by ${result.signal ?? 'a signal'}`, hint: 'look at the lines above; the machine may be out of memory' });
    throw lost('the connection was lost while the script ran');
  }
  const valid = spec.validExitCodes ?? defaults.validExitCodes;
  if ((valid as readonly number[]).includes(result.code)) return;
  throw new BakeError({ code: 'ScriptFailed', message: `the script ended with exit code ${result.code}`, hint: valid.length === 1 && valid[0] === 0 ? 'correct the script, or name the code in validExitCodes' : `codes that count as success are ${valid.join(', ')}` });
}

function lost(message: string): BakeError {
  return new BakeError({ code: 'ScriptDisconnected', source: 'platform', message, transient: true, hint: 'if the script reboots the machine or restarts its network, say expectDisconnect: true' });
}
