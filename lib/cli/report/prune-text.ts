import { formatMilliseconds } from '../../core/duration.js';
import { formatBytes } from '../../core/size.js';
import type { PruneReport } from '../../toolkit/toolkit-api.js';
import { neutraliseLine } from '../terminal/neutralise.js';
import type { Style } from '../terminal/style.js';
import type { Symbols } from '../terminal/symbols.js';
import { amount } from './plan-text.js';

export interface PruneLook {
  readonly style: Style;
  readonly symbols: Symbols;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What was removed from the cache, and what stays. */
export function formatPruning({ removed, outcomes, rests, left, limit, problems }: PruneReport, dryRun: boolean, { style, symbols, now }: PruneLook): string {
  const sign = dryRun ? style.yellow(symbols.pointer) : style.green(symbols.done);
  const freed = removed.reduce((sum, { bytes }) => sum + bytes, 0);
  const lines = [
    ...removed.map(({ step, platform, bytes, usedAt }) => `  ${sign} ${neutraliseLine(step)}  ${style.dim(`${neutraliseLine(platform)}, ${formatBytes(bytes)}, last used ${ago(now - usedAt)}`)}`),
    ...outcomes.map(({ step, at }) => `  ${sign} ${neutraliseLine(step)}  ${style.dim(`known to be up to date, built ${ago(now - at)}`)}`),
    ...rests.map((rest) => `  ${sign} ${neutraliseLine(rest)}  ${style.dim('left by a process that is gone')}`),
  ];
  const title = lines.length === 0 ? 'nothing to remove' : `${dryRun ? 'would be removed' : 'removed'}${removed.length === 0 ? '' : ` (${formatBytes(freed)})`}:`;
  const rules = [...(left.used === 0 ? [] : [`${left.used} in use`]), ...(limit === undefined ? [] : [`limit ${formatBytes(limit)}`])];
  const rest = `${amount(left.count, 'checkpoint')} ${dryRun ? 'would stay' : 'left'}, ${formatBytes(left.bytes)}${rules.length === 0 ? '' : ` (${rules.join(', ')})`}`;
  const failures = problems.map(({ title: what, reason }) => `  ${style.red(symbols.failed)} ${neutraliseLine(what)}  ${neutraliseLine(reason)}`);
  return `${[title, ...lines, ...(failures.length === 0 ? [] : [`${symbols.warned} could not be removed:`, ...failures]), style.dim(rest)].join('\n')}\n`;
}

/** `2h ago`, `3 days ago`. */
export function ago(milliseconds: number): string {
  const days = Math.floor(milliseconds / 86_400_000);
  if (days >= 2) return `${days} days ago`;
  return milliseconds < 60_000 ? 'just now' : `${formatMilliseconds(Math.floor(milliseconds / 60_000) * 60_000)} ago`;
}
