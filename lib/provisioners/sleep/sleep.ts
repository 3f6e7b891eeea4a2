import type { Construct } from 'constructs';
import { BakeError } from '../../core/bake-error.js';
import { Duration } from '../../core/duration.js';
import type { CompiledStep } from '../../image/compile.js';
import { Provisioner, type ProvisionerProps } from '../../image/provisioner.js';
import { sleepStep } from './steps.js';

export interface SleepProps extends ProvisionerProps {
  readonly duration: Duration;
}

/** Waits. A provisioner that waits for something by itself is better where it can be had. */
export class Sleep extends Provisioner<SleepProps> {
  readonly propNames = { duration: true } as const;

  constructor(scope: Construct, id: string, props: SleepProps) {
    super(scope, id, props);
  }

  compile({ duration }: SleepProps): CompiledStep {
    if (!(duration instanceof Duration)) throw new BakeError({ code: 'InvalidProp', message: `"duration" is ${String(duration)}, not a Duration`, hint: 'write Duration.seconds(30)' });
    return { kind: sleepStep, title: `sleep ${duration}`, spec: { duration } };
  }
}
