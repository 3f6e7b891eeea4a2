import type { Construct } from 'constructs';
import type { CompiledStep } from '../../image/compile.js';
import { Provisioner, type ProvisionerProps } from '../../image/provisioner.js';
import type { TextInput } from '../../image/ref.js';
import { breakpointStep } from './steps.js';

export interface BreakpointProps extends ProvisionerProps {
  /** Shown with the question. @default - none */
  readonly note?: TextInput;
  /** Leaves it in the file without any effect. @default false */
  readonly disable?: boolean;
}

/** Stops the build and asks whether to go on, so that the machine can be looked at. Without a terminal it goes on and says so. */
export class Breakpoint extends Provisioner<BreakpointProps> {
  readonly propNames = { note: true, disable: true } as const;

  constructor(scope: Construct, id: string, props: BreakpointProps = {}) {
    super(scope, id, props);
  }

  compile({ note, disable }: BreakpointProps): CompiledStep {
    return { kind: breakpointStep, title: disable ? 'breakpoint (disabled)' : 'breakpoint', spec: { note, disable } };
  }
}
