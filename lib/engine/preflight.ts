import { BakeError } from '../core/bake-error.js';
import type { Diagnostic, SourceLocation } from '../core/diagnostic.js';
import type { JsonObject } from '../core/json.js';
import { isSecret, walkLate } from '../plan/late.js';
import type { Plan, PlanStep } from '../plan/plan.js';
import { hasRef } from './attempt-step.js';
import { Connections } from './connections.js';
import { resolveSpec } from './resolve-spec.js';
import { type EngineServices, notifier } from './services.js';
import { makeStepContext } from './step-context.js';

/**
 * Asks every step whose spec is known in full whether it could work, and every secret whether it is there, before the
 * first thing is created.
 * @throws BakeError `PreflightFailed` with all findings
 */
export async function preflight(plans: readonly Plan[], builds: ReadonlySet<string>, services: EngineServices, signal: AbortSignal): Promise<void> {
  const findings: Diagnostic[] = [];
  const steps = plans.flatMap((plan) => plan.steps.map((step) => ({ step, plan }))).filter(({ step }) => builds.has(step.build));
  await Promise.all(steps.map(async ({ step, plan }) => {
    try {
      await checkStep(step, plan, services, signal);
    } catch (error) {
      signal.throwIfAborted();
      const { code, message, hint, location } = BakeError.from(error);
      const place: SourceLocation | undefined = location ?? step.source;
      findings.push({ code, severity: 'error', message: services.masker.text(message), construct: step.id, ...(place === undefined ? {} : { location: place }), ...(hint === undefined ? {} : { hint }) });
    }
  }));
  const [first] = findings;
  if (first === undefined) return;
  throw new BakeError({ code: 'PreflightFailed', message: findings.length === 1 ? first.message : `${findings.length} things stand in the way`, diagnostics: merged(findings) });
}

async function checkStep(step: PlanStep, plan: Plan, services: EngineServices, signal: AbortSignal): Promise<void> {
  walkLate(step.spec, (late) => { if (isSecret(late)) services.secrets.resolve(late); });
  const kind = services.registry.kind(step.kind);
  const { handler } = await services.registry.handler(step.kind);
  const isKnown = !hasRef(step.spec);
  if ((isKnown ? handler.check : handler.checkKnown) === undefined) return;
  const opaque = new Set(kind.opaque ?? []);
  const resolution = { outputs: new Map<string, JsonObject>(), secret: services.secrets.resolve.bind(services.secrets), assets: services.run.assets };
  const known = Object.entries(step.spec).filter(([, value]) => !hasRef(value));
  const spec = Object.fromEntries(known.map(([key, value]) => [key, opaque.has(key) ? value : resolveSpec(value, resolution)]));
  const build = plan.builds.find((candidate) => candidate.id === step.build);
  const facts = { id: step.id, kind: step.kind, title: step.title, build: step.build, buildName: build?.name ?? '', platform: build?.platform ?? '' };
  const connections = new Connections(services.registry);
  const context = makeStepContext({ step: facts, signal, services, notify: notifier(services), connect: connections.connect.bind(connections, step.build) });
  await (isKnown ? handler.check?.(spec, context) : handler.checkKnown?.(spec, context));
}

/** The same finding of several builds at the same line is one. */
function merged(findings: readonly Diagnostic[]): readonly Diagnostic[] {
  const byText = new Map<string, Diagnostic>();
  for (const finding of findings) {
    const key = JSON.stringify([finding.code, finding.message, finding.location]);
    if (!byText.has(key)) byText.set(key, finding);
  }
  return [...byText.values()];
}
