import type { ParameterHistory, SSMClient } from '@aws-sdk/client-ssm';
import type { Ec2Access } from '../steps.js';
import { calling, pages, unless } from './aws-call.js';
import { clientOptions } from './aws-client.js';
import type { ParameterPort, ParameterVersion } from './parameter-port.js';

type Opened = Promise<{ readonly sdk: typeof import('./aws-ssm-sdk.js'); readonly client: SSMClient }>;

const notThere = /^Parameter(Version)?NotFound$/;
const known = new Map<string, ParameterPort>();

/** Amazon's. The address in `access` is EC2's; another one for Systems Manager comes from `AWS_ENDPOINT_URL_SSM` or `AWS_ENDPOINT_URL`. */
export function awsParameters({ endpoint: _, ...access }: Ec2Access): ParameterPort {
  const key = JSON.stringify(access);
  const port = known.get(key) ?? new AwsParameters(access);
  known.set(key, port);
  return port;
}

class AwsParameters implements ParameterPort {
  readonly #open: () => Opened;

  constructor(access: Ec2Access) {
    let opened: Opened | undefined;
    this.#open = () => opened ??= Promise.all([import('./aws-ssm-sdk.js'), clientOptions(access)]).then(([sdk, options]) => ({ sdk, client: new sdk.SSMClient(options) }));
  }

  async get(name: string, abortSignal: AbortSignal): Promise<ParameterVersion | undefined> {
    const { sdk, client } = await this.#open();
    const found = await calling('GetParameter', () => unless(notThere, client.send(new sdk.GetParameterCommand({ Name: name }), { abortSignal })), 'ssm');
    return found?.Parameter === undefined ? undefined : versionOf(found.Parameter);
  }

  async put(name: string, { value, dataType }: Pick<ParameterVersion, 'value' | 'dataType'>, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    await calling('PutParameter', () => client.send(new sdk.PutParameterCommand({ Name: name, Value: value, Type: 'String', DataType: dataType, Overwrite: true }), { abortSignal }), 'ssm');
  }

  async history(name: string, abortSignal: AbortSignal): Promise<readonly ParameterVersion[]> {
    const { sdk, client } = await this.#open();
    const versions = await pages((NextToken) => calling('GetParameterHistory', () => unless(notThere, client.send(new sdk.GetParameterHistoryCommand({ Name: name, NextToken }), { abortSignal })), 'ssm'), ({ Parameters = [] }) => Parameters.map(versionOf));
    return [...versions].sort((a, b) => a.version - b.version);
  }

  async remove(name: string, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    await calling('DeleteParameter', () => unless(notThere, client.send(new sdk.DeleteParameterCommand({ Name: name }), { abortSignal })), 'ssm');
  }
}

function versionOf({ Version: version = 0, Value: value = '', DataType: dataType = 'text' }: Pick<ParameterHistory, 'Version' | 'Value' | 'DataType'>): ParameterVersion {
  return { version, value, dataType };
}
