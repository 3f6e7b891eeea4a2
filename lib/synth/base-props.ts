import { BakeError } from '../core/bake-error.js';
import { Duration } from '../core/duration.js';
import type { PostProcessorProps } from '../image/post-processor.js';
import type { ProvisionerProps } from '../image/provisioner.js';
import type { StepPolicy } from '../plan/plan.js';

/**
 * Holds what says for which sources a part is meant against its type, which no type checker may have seen.
 * @throws BakeError `InvalidProp`
 */
export function checkTargets({ only, except, override }: Pick<ProvisionerProps, 'only' | 'except' | 'override'>): void {
  for (const [name, value] of Object.entries({ only, except })) {
    if (value === undefined || (Array.isArray(value) && value.every((glob) => typeof glob === 'string'))) continue;
    throw invalid(name, value, `give a list of source ids, such as ${name}: ['Docker']`);
  }
  if (override === undefined) return;
  const hint = "give an object of props for each source id, such as override: { Docker: { timeout: Duration.seconds(30) } }";
  if (!isObject(override)) throw invalid('override', override, hint);
  for (const [source, props] of Object.entries(override)) if (!isObject(props)) throw invalid(`override.${source}`, props, hint);
}

/**
 * Holds the props that every provisioner and post-processor takes against their types.
 * @throws BakeError `InvalidProp`
 */
export function checkBaseProps(props: ProvisionerProps & PostProcessorProps): void {
  for (const name of ['continueOnError', 'onError', 'keepInputArtifact'] as const) {
    const value: unknown = props[name];
    if (value !== undefined && typeof value !== 'boolean') throw invalid(name, value, 'give true or false');
  }
}

/** How a step is tried. @throws BakeError `InvalidProp` */
export function policyOf(props: Pick<ProvisionerProps, 'pauseBefore' | 'timeout' | 'retries' | 'retryDelay' | 'continueOnError' | 'cache' | 'cacheKey'>): StepPolicy | undefined {
  if (props.retries !== undefined && !(Number.isInteger(props.retries) && props.retries >= 0)) throw invalid('retries', props.retries, 'give a whole number that is 0 or more');
  const policy: StepPolicy = {
    ...milliseconds('pauseBefore', props.pauseBefore), ...milliseconds('timeout', props.timeout), ...milliseconds('retryDelay', props.retryDelay),
    ...(props.retries === undefined ? {} : { retries: props.retries }),
    ...(props.continueOnError === undefined ? {} : { continueOnError: props.continueOnError }),
    ...cachePolicy(props),
  };
  return Object.keys(policy).length === 0 ? undefined : policy;
}

function cachePolicy({ cache, cacheKey }: Pick<ProvisionerProps, 'cache' | 'cacheKey'>): Pick<StepPolicy, 'cache' | 'cacheFor' | 'cacheKey'> {
  if (cacheKey !== undefined && typeof cacheKey !== 'string') throw invalid('cacheKey', cacheKey, "give a text, such as cacheKey: '2024-06'");
  const key = cacheKey === undefined ? {} : { cacheKey };
  if (cache === undefined) return key;
  if (typeof cache === 'boolean') return { ...key, cache };
  const hint = 'give true, false, or { ttl: Duration.days(7) }';
  if (!isObject(cache) || Object.keys(cache).some((name) => name !== 'ttl') || !(cache.ttl instanceof Duration)) throw invalid('cache', cache, hint);
  return { ...key, cache: true, cacheFor: cache.ttl.toMilliseconds() };
}

function milliseconds(name: string, value: Duration | undefined): Record<string, number> {
  if (value === undefined) return {};
  if (!(value instanceof Duration)) throw new BakeError({ code: 'InvalidProp', message: `"${name}" is ${String(value)}, not a Duration`, hint: 'write Duration.seconds(30), or Duration.parse("30s")' });
  return { [name]: value.toMilliseconds() };
}

function invalid(name: string, value: unknown, hint: string): BakeError {
  return new BakeError({ code: 'InvalidProp', message: `"${name}" is ${shown(value)}`, hint });
}

/** A value as the user wrote it, or what it is: a secret must not be turned into text. */
function shown(value: unknown): string {
  return typeof value === 'string' || value === null || typeof value !== 'object' ? String(JSON.stringify(value)) : Array.isArray(value) ? 'a list with other things than texts' : 'an object';
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
