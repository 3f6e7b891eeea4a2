import type { StepContext } from './handler.js';

const smallestStep = 1024 * 1024;

/** Counts bytes of a known total and reports about a hundred times, so that a fast disk does not flood the events. */
export function byteMeter(ctx: Pick<StepContext, 'progress'>, label: string, total: number): (bytes: number) => void {
  const step = Math.max(total / 100, smallestStep);
  let current = 0;
  let shown = 0;
  return (bytes) => {
    current += bytes;
    if (bytes === 0 || (current - shown < step && current < total)) return;
    shown = current;
    ctx.progress({ label, current, total, unit: 'bytes' });
  };
}
