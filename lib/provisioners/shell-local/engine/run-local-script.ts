import { chmod, copyFile, mkdir, open, rm, stat, writeFile } from 'node:fs/promises';
import { constants } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { BakeError } from '../../../core/bake-error.js';
import type { ExecResult } from '../../../core/ports.js';
import type { StepContext } from '../../../engine/handler.js';
import type { StagedAsset } from '../../../plan/late.js';
import { automaticEnvironment } from '../../automatic-environment.js';
import { fillTemplate } from '../../command-template.js';
import { inlineScript } from '../../inline-script.js';
import { interpreterOf } from '../../interpreter.js';
import { checkExitCode, LastLines } from '../../script-outcome.js';
import type { LocalScriptSpec } from '../local-script-fields.js';

/**
 * Runs a script, or several one after the other, on the machine that runs `bake`. Its lines go to `ctx.log`; an abort
 * ends it with its whole process group. Values reach it through the environment and a file of mode 0700 in the step's
 * folder that is removed when it ends, never through an argument.
 * @param environment variables beside the automatic ones; those of the spec win
 * @throws BakeError `ScriptFailed`, `CommandNotFound`, `WorkingDirectoryNotFound`; the signal's reason if aborted
 */
export async function runLocalScript(spec: LocalScriptSpec, ctx: StepContext, environment: Readonly<Record<string, string>> = {}): Promise<void> {
  if (spec.onlyOn !== undefined && !spec.onlyOn.some((os) => os === process.platform)) {
    ctx.log(`skipped: it is for ${spec.onlyOn.join(', ')}, and this is ${process.platform}`, 'info');
    return;
  }
  await mkdir(ctx.run.tmp, { recursive: true });
  for (const script of scriptsOf(spec)) await runOne(script, spec, ctx, { ...automaticEnvironment(ctx), ...environment, ...spec.environment });
}

interface LocalScript {
  /** For messages. */
  readonly title: string;
  /** Extension of its temporary file. */
  readonly extension: string;
  /** Makes the file; returns at least its first 512 bytes. */
  readonly write: (path: string) => Promise<Uint8Array>;
}

const isWindows = process.platform === 'win32';

function scriptsOf({ command, inline, script, scripts, inlineShebang, tempfileExtension }: LocalScriptSpec): readonly LocalScript[] {
  const lines = inline ?? (command === undefined ? undefined : [command]);
  if (lines !== undefined) {
    const write = async (path: string) => {
      const content = Buffer.from(isWindows ? `${lines.join('\r\n')}\r\n` : inlineScript(lines, inlineShebang));
      await writeFile(path, content, { mode: 0o700 });
      return content;
    };
    return [{ title: command === undefined ? 'the inline script' : 'the command', extension: tempfileExtension ?? (isWindows ? '.cmd' : ''), write }];
  }
  return (scripts ?? (script === undefined ? [] : [script])).map((asset) => ({
    title: asset.name, extension: tempfileExtension ?? /^\.[\w-]+$/.exec(extname(asset.name))?.[0] ?? '', write: (path) => copyScript(asset, path),
  }));
}

async function copyScript(asset: StagedAsset, path: string): Promise<Uint8Array> {
  await copyFile(asset.path, path, constants.COPYFILE_FICLONE);
  await chmod(path, 0o700);
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(512), 0, 512, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function runOne(script: LocalScript, spec: LocalScriptSpec, ctx: StepContext, env: Readonly<Record<string, string>>): Promise<void> {
  const path = join(ctx.run.tmp, `script${script.extension}`);
  const cwd = resolve(ctx.run.project, spec.workingDirectory ?? '.');
  const lines = new LastLines();
  const onLine = (stream: 'stdout' | 'stderr') => (line: string) => {
    lines.add(line);
    ctx.log(line, stream);
  };
  try {
    const [command, ...args] = commandFor(path, await script.write(path), spec.executeCommand);
    const { code, signal } = await started(command, cwd, ctx.exec.run({ command, args, cwd, env, signal: ctx.signal, onStdout: onLine('stdout'), onStderr: onLine('stderr') }));
    checkExitCode({ title: script.title, code, signal: signal ?? undefined, output: lines.all }, spec.validExitCodes);
  } finally {
    await rm(path, { force: true });
  }
}

function commandFor(path: string, head: Uint8Array, template: readonly string[] | undefined): readonly [string, ...string[]] {
  const words = template?.map((word) => fillTemplate(word, { Script: path, Vars: '' }))
    ?? [...(isWindows ? ['cmd', '/d', '/c', 'call'] : interpreterOf(head) ?? []), path];
  return words as [string, ...string[]];
}

/** A missing folder and a missing program look the same to the operating system. */
async function started(command: string, cwd: string, running: Promise<ExecResult>): Promise<ExecResult> {
  try {
    return await running;
  } catch (error) {
    if (!BakeError.is(error) || (error.cause as NodeJS.ErrnoException | undefined)?.code !== 'ENOENT') throw error;
    const isFolder = await stat(cwd).then((info) => info.isDirectory(), () => false);
    if (isFolder) throw new BakeError({ code: 'CommandNotFound', message: `"${command}", which is to run the script, is not on this machine`, hint: 'install it, or change the #! line or executeCommand', cause: error });
    throw new BakeError({ code: 'WorkingDirectoryNotFound', message: `the working directory ${cwd} is not there`, hint: 'make it first, or change workingDirectory', cause: error });
  }
}
