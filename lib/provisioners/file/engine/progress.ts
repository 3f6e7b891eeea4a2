import type { StepContext } from '../../../engine/handler.js';

/** Milliseconds between two reports; a transfer that is over sooner reports nothing. */
const interval = 200;

/** Reports the bytes of a transfer, not more often than anybody could read. */
export function transferProgress(label: string, { clock, progress }: StepContext): (current: number, total?: number) => void {
  let last = clock.now();
  let reported = false;
  return (current, total) => {
    const now = clock.now();
    const isEnd = reported && current === total;
    if (now - last < interval && !isEnd) return;
    last = now;
    reported = true;
    progress({ label, current, unit: 'bytes', ...(total === undefined ? {} : { total }) });
  };
}
