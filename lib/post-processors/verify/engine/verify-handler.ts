import type { Artifact } from '../../../core/artifact.js';
import { BakeError } from '../../../core/bake-error.js';
import type { ActionHandler, StepContext } from '../../../engine/handler.js';
import type { CheckSpec, VerifySpec } from '../steps.js';
import { assertUnchanged, digestsOf } from './artifact-digest.js';
import { tryCommand } from './command-check.js';
import { tryHttp } from './http-check.js';
import { tryPort } from './port-check.js';

/** What one attempt at a check found: undefined if all is as it should be. */
export interface Finding {
  /** One line: what was expected and what is. */
  readonly message: string;
  /** Lines that say more. */
  readonly output?: readonly string[];
}

/** Goes through all checks, also when one fails: who fixes an image wants to know all that is wrong with it. */
export const verifyHandler: ActionHandler<VerifySpec, { readonly artifact: Artifact }> = {
  async run(spec, ctx) {
    const digests = await digestsOf(spec.artifact, ctx.signal);
    const failed: { readonly title: string; readonly finding: Finding }[] = [];
    for (const check of spec.checks) {
      const title = titleOf(check);
      const finding = await untilFine(check, spec, ctx);
      if (finding !== undefined) failed.push({ title, finding });
      ctx.log(`${finding === undefined ? 'ok' : 'FAILED'}: ${title}${finding === undefined ? '' : `: ${finding.message}`}`, 'info');
    }
    await assertUnchanged(digests, ctx.signal);
    if (digests.size > 0) ctx.log('ok: the artifact is as it was, by its sha256', 'info');
    if (failed.length === 0) return { artifact: spec.artifact };
    const [first] = failed;
    throw new BakeError({
      code: 'VerifyFailed', message: failed.length === 1 ? `${first!.title}: ${first!.finding.message}` : `${failed.length} of ${spec.checks.length} checks failed: ${failed.map(({ title }) => title).join('; ')}`,
      hint: 'the image was started as it is and is not as it should be; correct what builds it, or the check',
      output: failed.flatMap(({ title, finding }) => [...(failed.length === 1 ? [] : [`${title}: ${finding.message}`]), ...(finding.output ?? []).map((line) => `  ${line}`)]),
    });
  },
};

/** Tried again, a little later each time, until its time is over. */
async function untilFine(check: CheckSpec, spec: VerifySpec, ctx: StepContext): Promise<Finding | undefined> {
  const end = ctx.clock.now() + (check.within ?? 0);
  let finding: Finding | undefined;
  for (let delay = 50; ; delay = Math.min(delay * 1.5, 1_000)) {
    finding = await inTime(check, spec, { end, before: finding }, ctx);
    const left = end - ctx.clock.now();
    if (finding === undefined || left <= 0) return finding;
    await ctx.clock.sleep(Math.min(delay, left), ctx.signal);
  }
}

/** One attempt, and a command that has a time ends with it: it may hang. What was found `before` says more then. Ports and pages have a patience of their own. */
async function inTime(check: CheckSpec, spec: VerifySpec, { end, before }: { readonly end: number; readonly before: Finding | undefined }, ctx: StepContext): Promise<Finding | undefined> {
  if ((check.type !== 'command' && check.type !== 'script') || check.within === undefined || check.within === 0) return attempt(check, spec, ctx);
  const [limit, over] = [new AbortController(), new AbortController()];
  ctx.clock.sleep(Math.max(0, end - ctx.clock.now()), AbortSignal.any([ctx.signal, over.signal])).then(() => limit.abort(), () => {});
  try {
    return await attempt(check, spec, { ...ctx, signal: AbortSignal.any([ctx.signal, limit.signal]) });
  } catch (error) {
    if (!limit.signal.aborted || ctx.signal.aborted) throw error;
    return before ?? { message: `it had not ended when its ${check.within / 1_000} s were over` };
  } finally {
    over.abort();
  }
}

function attempt(check: CheckSpec, { connection, host, ports }: VerifySpec, ctx: StepContext): Promise<Finding | undefined> {
  ctx.signal.throwIfAborted();
  if (check.type === 'port') return tryPort({ host, port: portOf(ports, check.port) }, ctx);
  if (check.type === 'http') return tryHttp(check, { host, port: portOf(ports, check.port) }, ctx);
  if (connection === undefined) throw new BakeError({ code: 'NoCommunicator', source: 'bake', message: 'a command is to be run, and there is no way in' });
  return tryCommand(check, connection, ctx);
}

function portOf(ports: VerifySpec['ports'], port: number): number {
  return ports[port] ?? port;
}

function titleOf(check: CheckSpec): string {
  switch (check.type) {
    case 'command': return check.command.length > 60 ? `${check.command.slice(0, 59)}…` : check.command;
    case 'script': return check.name;
    case 'port': return `port ${check.port}`;
    default: return `http ${check.port}${check.path}`;
  }
}
