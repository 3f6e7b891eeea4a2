import type { EC2Client } from '@aws-sdk/client-ec2';
import type { Ec2Access } from '../steps.js';

/** What calls of EC2 are made with. */
export interface Ec2Client {
  readonly sdk: typeof import('./aws-sdk.js');
  readonly client: EC2Client;
}

/** Tries of the SDK at a call, with growing pauses that follow its throttling. */
const tries = 8;
/** Milliseconds without a byte after which a connection is given up and the call tried again. */
const [longestConnecting, longestSilence] = [10_000, 30_000];
const opened = new Map<string, Promise<Ec2Client>>();

/** How every client of the SDK is set up. */
export function clientOptions({ region, profile, endpoint }: Ec2Access) {
  return {
    retryMode: 'adaptive', maxAttempts: tries, customUserAgent: 'bake', requestHandler: { connectionTimeout: longestConnecting, socketTimeout: longestSilence },
    ...(region === undefined ? {} : { region }), ...(profile === undefined ? {} : { profile }), ...(endpoint === undefined ? {} : { endpoint }),
  };
}

/** One client, and so one set of connections and one memory of throttling, for each account and region of a process. */
export function openEc2(access: Ec2Access): Promise<Ec2Client> {
  const key = JSON.stringify([access.region, access.profile, access.endpoint]);
  const known = opened.get(key) ?? import('./aws-sdk.js').then((sdk) => ({ sdk, client: new sdk.EC2Client(clientOptions(access)) }));
  opened.set(key, known);
  return known;
}
