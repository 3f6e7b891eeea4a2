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

/** How every client of the SDK is set up. */
export async function clientOptions({ region, profile, endpoint, assumeRole }: Ec2Access) {
  return {
    retryMode: 'adaptive', maxAttempts: tries, customUserAgent: 'bake', requestHandler: { connectionTimeout: longestConnecting, socketTimeout: longestSilence },
    ...(region === undefined ? {} : { region }), ...(profile === undefined ? {} : { profile }), ...(endpoint === undefined ? {} : { endpoint }),
    ...(assumeRole === undefined ? {} : { credentials: await credentialsOf(assumeRole, { region, profile }) }),
  };
}

/** They are got again before they run out. */
async function credentialsOf({ arn, sessionName = 'bake', externalId, duration, policy, policyArns, tags, transitiveTagKeys }: NonNullable<Ec2Access['assumeRole']>, { region, profile }: Pick<Ec2Access, 'region' | 'profile'>) {
  const { fromNodeProviderChain, fromTemporaryCredentials } = await import('@aws-sdk/credential-providers');
  return fromTemporaryCredentials({
    masterCredentials: fromNodeProviderChain(profile === undefined ? {} : { profile }),
    ...(region === undefined ? {} : { clientConfig: { region } }),
    params: {
      RoleArn: arn, RoleSessionName: sessionName, ExternalId: externalId, DurationSeconds: duration === undefined ? undefined : Math.round(duration / 1_000), Policy: policy,
      PolicyArns: policyArns?.map((one) => ({ arn: one })), Tags: tags && Object.entries(tags).map(([Key, Value]) => ({ Key, Value })), TransitiveTagKeys: transitiveTagKeys,
    },
  });
}

/** What opens a client when it is first needed: the SDK takes a while to load. */
export function opener<Sdk, Client>(access: Ec2Access, load: () => Promise<Sdk>, make: (sdk: Sdk, options: Awaited<ReturnType<typeof clientOptions>>) => Client): () => Promise<{ readonly sdk: Sdk; readonly client: Client }> {
  let opened: Promise<{ readonly sdk: Sdk; readonly client: Client }> | undefined;
  return () => opened ??= Promise.all([load(), clientOptions(access)]).then(([sdk, options]) => ({ sdk, client: make(sdk, options) }));
}

/** Makes one thing, and so one set of connections and one memory of throttling, for each account and region of a process. */
export function onePerAccess<T>(make: (access: Ec2Access) => T): (access: Ec2Access) => T {
  const made = new Map<string, T>();
  return (access) => {
    const key = JSON.stringify(access);
    const one = made.get(key) ?? make(access);
    made.set(key, one);
    return one;
  };
}

/** The same for a service beside EC2: the address in `access` is EC2's, another one comes from `AWS_ENDPOINT_URL_<SERVICE>` or `AWS_ENDPOINT_URL`. */
export function besideEc2<T>(make: (access: Ec2Access) => T): (access: Ec2Access) => T {
  const onePer = onePerAccess(make);
  return ({ endpoint: _, ...access }) => onePer(access);
}

export const openEc2 = onePerAccess((access) => opener(access, () => import('./aws-sdk.js'), (sdk, options): EC2Client => new sdk.EC2Client(options))());
