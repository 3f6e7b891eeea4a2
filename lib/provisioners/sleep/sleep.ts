import type { Duration } from '../../core/duration.js';
import type { CompiledStep } from '../../image/compile.js';
import { Provisioner, type ProvisionerProps } from '../../image/provisioner.js';
import { checkDuration } from '../check-duration.js';
import { sleepStep } from './steps.js';

export interface SleepProps extends ProvisionerProps {
  /** How long. */
  readonly duration: Duration;
}

/**
 * Waits before the next provisioner. For a wait before one certain provisioner there is its `pauseBefore`.
 * @example
 * new Sleep(this, 'Settle', { duration: Duration.seconds(30) });
 */
export class Sleep extends Provisioner<SleepProps> {
  readonly propNames = { duration: true } as const;

  /** @throws BakeError `InvalidProp` */
  compile({ duration }: SleepProps): CompiledStep {
    checkDuration('duration', duration);
    return { kind: sleepStep, title: `sleep: ${duration.toString()}`, spec: { duration } };
  }
}
