import type { ParameterHistory, SSMClient } from '@aws-sdk/client-ssm';
import type { Ec2Access } from '../steps.js';
import { calling, pages, unless } from './aws-call.js';
import { besideEc2, opener } from './aws-client.js';
import type { ParameterPort, ParameterVersion } from './parameter-port.js';

const notThere = /^Parameter(Version)?NotFound$/;

/** Amazon's. */
export const awsParameters = besideEc2((access): ParameterPort => new AwsParameters(access));

class AwsParameters implements ParameterPort {
  readonly #open;

  constructor(access: Ec2Access) {
    this.#open = opener(access, () => import('./aws-ssm-sdk.js'), (sdk, options): SSMClient => new sdk.SSMClient(options));
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
