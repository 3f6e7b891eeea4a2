import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { uptime } from 'node:os';
import { canonicalJson, sha256, type JsonObject } from '../../../core/json.js';
import type { StepContext } from '../../../engine/handler.js';

export interface ProbeResult {
  readonly works: boolean;
  readonly reason: string;
}

/** What was found out about this accelerator since this computer was started; undefined if nothing was. */
export async function recall(question: JsonObject, ctx: StepContext): Promise<ProbeResult | undefined> {
  try {
    const { boot, works, reason } = JSON.parse(await readFile(fileOf(question, ctx), 'utf8')) as ProbeResult & { readonly boot: string };
    return boot === await bootOf(ctx) && typeof works === 'boolean' && typeof reason === 'string' ? { works, reason } : undefined;
  } catch {
    return undefined; // never asked, or the file was torn
  }
}

/** Keeps the answer for later runs: asking costs a second and a half where the answer is no. */
export async function remember(question: JsonObject, result: ProbeResult, ctx: StepContext): Promise<void> {
  const file = fileOf(question, ctx);
  await mkdir(join(file, '..'), { recursive: true });
  const part = `${file}.${ctx.token}`;
  await writeFile(part, JSON.stringify({ boot: await bootOf(ctx), ...result }));
  await rename(part, file);
}

function fileOf(question: JsonObject, ctx: StepContext): string {
  return join(ctx.run.cache, 'qemu', `${sha256(canonicalJson(question)).slice(0, 16)}.json`);
}

/** Tells this start of the computer from another: modules are loaded and rights are given at the start. */
async function bootOf(ctx: StepContext): Promise<string> {
  return readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => String(Math.round((ctx.clock.now() / 1_000 - uptime()) / 60)));
}
