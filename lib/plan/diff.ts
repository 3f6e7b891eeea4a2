import { canonicalJson, isJsonObject, type Json, type JsonObject } from '../core/json.js';
import { topologicalOrder } from './graph.js';
import { isAsset, isLate } from './late.js';
import type { Plan, PlanBuild, PlanStep } from './plan.js';

export type Change = 'added' | 'removed' | 'changed';

/** A value that differs; `before` is absent for one that is new, `after` for one that is gone. */
export interface ValueChange {
  /** `inline[1]`, `environment.LANG`; empty for the value itself. */
  readonly path: string;
  readonly before?: Json;
  readonly after?: Json;
}

export interface StepDiff {
  readonly step: string;
  readonly title: string;
  readonly kind: string;
  readonly change: Change;
  /** Of a changed step: its spec's paths, and `kind`, `role`, `lifetime`, `policy.…` in angle brackets: `<policy>.retries`. */
  readonly values: readonly ValueChange[];
}

/** A step that comes at another place among the steps that both plans have. */
export interface StepMove {
  readonly step: string;
  readonly title: string;
  /** The step that it comes after now; absent if it is the first. */
  readonly after?: string;
}

export interface BuildDiff {
  readonly build: string;
  readonly change: Change;
  readonly values: readonly ValueChange[];
  readonly steps: readonly StepDiff[];
  readonly moves: readonly StepMove[];
}

export interface ImageDiff {
  readonly image: string;
  readonly change: Change;
  /** Of its tags. */
  readonly values: readonly ValueChange[];
  readonly builds: readonly BuildDiff[];
}

/**
 * What differs between two sets of plans; empty if they do the same. Where a step stands in the user's file and how it
 * is titled is no difference, as nothing is built otherwise for it.
 */
export function diffPlans(before: readonly Plan[], after: readonly Plan[]): readonly ImageDiff[] {
  return paired(before, after, (plan) => plan.image).flatMap(([old, now]): readonly ImageDiff[] => {
    const plan = (now ?? old)!;
    const change = changeOf(old, now);
    const values = old === undefined || now === undefined ? [] : diffValues(old.tags, now.tags);
    const builds = diffBuilds(old, now);
    return change === 'changed' && values.length === 0 && builds.length === 0 ? [] : [{ image: plan.image, change, values, builds }];
  });
}

/** The paths at which two JSON values differ. Assets and late values are compared as a whole. */
export function diffValues(before: Json | undefined, after: Json | undefined, path = ''): readonly ValueChange[] {
  if (before === undefined && after === undefined) return [];
  if (before === undefined) return [{ path, after: after! }];
  if (after === undefined) return [{ path, before }];
  if (canonicalJson(before) === canonicalJson(after)) return [];
  if (Array.isArray(before) && Array.isArray(after)) {
    const [old, now] = [before as readonly Json[], after as readonly Json[]];
    return Array.from({ length: Math.max(old.length, now.length) }, (_, index) => diffValues(old[index], now[index], `${path}[${index}]`)).flat();
  }
  if (isPlainObject(before) && isPlainObject(after)) {
    return union(Object.keys(before), Object.keys(after)).flatMap((key) => diffValues(before[key], after[key], memberPath(path, key)));
  }
  return [{ path, before, after }];
}

function diffBuilds(old: Plan | undefined, now: Plan | undefined): readonly BuildDiff[] {
  return paired(old?.builds ?? [], now?.builds ?? [], (build) => build.id).flatMap(([before, after]): readonly BuildDiff[] => {
    const build = (after ?? before)!;
    const change = changeOf(before, after);
    const values = before === undefined || after === undefined ? [] : diffValues(factsOfBuild(before), factsOfBuild(after));
    const oldSteps = stepsOf(old, build.id);
    const newSteps = stepsOf(now, build.id);
    const steps = diffSteps(oldSteps, newSteps);
    const moves = change === 'changed' ? movesBetween(oldSteps, newSteps) : [];
    return change === 'changed' && values.length + steps.length + moves.length === 0 ? [] : [{ build: build.id, change, values, steps, moves }];
  });
}

function diffSteps(before: readonly PlanStep[], after: readonly PlanStep[]): readonly StepDiff[] {
  return paired(before, after, (step) => step.id).flatMap(([old, now]): readonly StepDiff[] => {
    const { id, title, kind } = (now ?? old)!;
    const change = changeOf(old, now);
    const values = old === undefined || now === undefined ? [] : [...diffValues(factsOfStep(old), factsOfStep(now)), ...diffValues(old.spec, now.spec)];
    return change === 'changed' && values.length === 0 ? [] : [{ step: id, title, kind, change, values }];
  });
}

function factsOfBuild({ platform, artifact }: PlanBuild): JsonObject {
  return { '<platform>': platform, '<artifact>': artifact as unknown as Json };
}

function factsOfStep({ kind, role, lifetime, policy }: PlanStep): JsonObject {
  return { '<kind>': kind, '<role>': role, '<lifetime>': lifetime, '<policy>': { ...policy } };
}

function stepsOf(plan: Plan | undefined, build: string): readonly PlanStep[] {
  return plan === undefined ? [] : topologicalOrder(plan.steps).filter((step) => step.build === build);
}

/** The fewest steps that must change their place to turn one order into the other. */
function movesBetween(before: readonly PlanStep[], after: readonly PlanStep[]): readonly StepMove[] {
  const places = new Map(before.map((step, index) => [step.id, index]));
  const common = after.filter((step) => places.has(step.id));
  const stay = longestRise(common.map((step) => places.get(step.id)!));
  return common.flatMap((step, index): readonly StepMove[] => {
    if (stay.has(index)) return [];
    const previous = common[index - 1];
    return [{ step: step.id, title: step.title, ...(previous === undefined ? {} : { after: previous.id }) }];
  });
}

/** The indexes of a longest rising subsequence. */
function longestRise(numbers: readonly number[]): ReadonlySet<number> {
  const best: { length: number; previous: number }[] = [];
  let end = -1;
  for (const [index, number] of numbers.entries()) {
    const here = { length: 1, previous: -1 };
    for (let other = 0; other < index; other++) {
      if (numbers[other]! < number && best[other]!.length >= here.length) Object.assign(here, { length: best[other]!.length + 1, previous: other });
    }
    best.push(here);
    if (end === -1 || here.length > best[end]!.length) end = index;
  }
  const rise = new Set<number>();
  for (let index = end; index !== -1; index = best[index]!.previous) rise.add(index);
  return rise;
}

function paired<T>(before: readonly T[], after: readonly T[], key: (item: T) => string): readonly (readonly [T | undefined, T | undefined])[] {
  const old = new Map(before.map((item) => [key(item), item]));
  const now = new Map(after.map((item) => [key(item), item]));
  return union(now.keys(), old.keys()).map((id) => [old.get(id), now.get(id)]);
}

function changeOf(before: unknown, after: unknown): Change {
  return before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
}

function isPlainObject(value: Json): value is JsonObject {
  return isJsonObject(value) && !isLate(value) && !isAsset(value);
}

function memberPath(path: string, key: string): string {
  if (!/^[\w<>-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}

function union(a: Iterable<string>, b: Iterable<string>): readonly string[] {
  return [...new Set([...a, ...b])];
}
