import type { StepContext } from '../../../engine/handler.js';
import type { Ec2Port, FleetChoice, InstanceFacts, InstanceRequest, SpotStrategy } from './ec2-port.js';

export interface FleetOptions {
  readonly ec2: Ec2Port;
  readonly strategy: SpotStrategy;
  readonly choices: readonly FleetChoice[];
}

/** What the launch template of a step's fleet is called. */
export function templateOf(token: string): string {
  return `bake-${token}`;
}

/**
 * Starts the one instance that EC2 chooses. What it is like can be told to a fleet only by a launch template, which has the user data in it
 * and goes as soon as the call is over; what a killed process leaves of it is found by its name.
 */
export async function runFleet(request: InstanceRequest, { ec2, strategy, choices }: FleetOptions, { token, signal }: Pick<StepContext, 'token' | 'signal'>): Promise<InstanceFacts> {
  const template = templateOf(token);
  await ec2.createLaunchTemplate(template, request, signal);
  const started = await ec2.runFleet({ template, strategy, choices, clientToken: request.clientToken, maxPrice: request.spot?.maxPrice, tags: request.tags }, signal);
  await ec2.deleteLaunchTemplate(template, signal);
  return started;
}
