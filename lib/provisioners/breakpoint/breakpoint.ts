import type { CompiledStep } from '../../image/compile.js';
import { Provisioner, type ProvisionerProps } from '../../image/provisioner.js';
import type { TextInput } from '../../image/ref.js';
import { breakpointStep } from './steps.js';

export interface BreakpointProps extends ProvisionerProps {
  /** Shown with the question. @default - none */
  readonly note?: TextInput;
  /** Goes on without stopping. @default false */
  readonly disable?: boolean;
}

/**
 * Stops the build until somebody at the terminal says to go on or to end it; without a terminal the build goes on.
 * @example
 * new Breakpoint(this, 'Look', { note: str`look around: docker exec -it ${build.id} sh` });
 */
export class Breakpoint extends Provisioner<BreakpointProps> {
  readonly propNames = { note: true, disable: true } as const;

  compile({ note, disable }: BreakpointProps): CompiledStep {
    return { kind: breakpointStep, title: typeof note === 'string' ? `breakpoint: ${note}` : 'breakpoint', spec: { note, disable } };
  }
}
