import type * as z from 'zod';
import { closest } from '../core/closest.js';
import type { Diagnostic } from '../core/diagnostic.js';
import type { JsonObject } from '../core/json.js';
import type { StepKind } from '../plan/step-kind.js';

type Finding = Pick<Diagnostic, 'code' | 'severity' | 'message' | 'hint'>;

/** Holds a spec against its kind's schema, and says what is wrong in the words of the props. */
export function checkSpec(kind: StepKind, spec: JsonObject): readonly Finding[] {
  const result = kind.spec.safeParse(spec);
  return result.success ? [] : result.error.issues.flatMap((issue) => describe(issue, spec, kind));
}

function describe(issue: z.core.$ZodIssue, spec: unknown, kind: StepKind, prefix: readonly PropertyKey[] = []): readonly Finding[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'invalid_union') {
    // The branch that came furthest is the one that was meant.
    const branches = [...issue.errors].sort((a, b) => depth(b) - depth(a));
    const [best] = branches;
    if (best !== undefined && best.length > 0) return best.flatMap((inner) => describe(inner, spec, kind, path));
  }
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const known = keysAt(kind.spec, path);
      const near = closest(key, known);
      const hint = near !== undefined ? `did you mean "${near}"?` : known.length > 0 ? `what can be given is ${known.join(', ')}` : undefined;
      return { code: 'UnknownProp', severity: 'error', message: `there is no prop "${[...path, key].join('.')}"`, ...(hint === undefined ? {} : { hint }) } as const;
    });
  }
  const name = path.join('.');
  const value = path.reduce<unknown>((here, key) => (here as Record<PropertyKey, unknown> | undefined)?.[key], spec);
  if (value === undefined && issue.code === 'invalid_type') {
    return [{ code: 'MissingProp', severity: 'error', message: `"${name}" is missing`, hint: `give "${name}": ${issue.expected}` }];
  }
  const given = value === undefined ? 'missing' : JSON.stringify(value);
  return [{ code: 'InvalidProp', severity: 'error', message: `"${name}" is ${given.length > 80 ? `${given.slice(0, 77)}…` : given}`, hint: lowerFirst(issue.message) }];
}

/** The names that an object inside a spec may have. */
function keysAt(schema: unknown, path: readonly PropertyKey[]): readonly string[] {
  const { def } = schema as { readonly def?: { readonly innerType?: unknown; readonly shape?: Readonly<Record<PropertyKey, unknown>>; readonly element?: unknown; readonly valueType?: unknown } };
  if (def === undefined) return [];
  if (def.innerType !== undefined) return keysAt(def.innerType, path);
  const [first, ...rest] = path;
  if (first === undefined) return Object.keys(def.shape ?? {});
  return keysAt(def.shape?.[first] ?? def.element ?? def.valueType ?? {}, rest);
}

const depth = (issues: readonly z.core.$ZodIssue[]): number => Math.max(0, ...issues.map((issue) => (issue.code === 'custom' ? 0 : 1) + issue.path.length));

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
