import type { Ec2Access } from '../steps.js';
import { clientOptions } from './aws-client.js';
import { ec2Error } from './aws-error.js';

/** Lets the holder of a key in as a user, for a minute. */
export type SendKey = (access: Ec2Access, key: { readonly instanceId: string; readonly user: string; readonly publicKey: string }, signal: AbortSignal) => Promise<void>;

/** EC2 Instance Connect. The address in `access` is EC2's; another one for this service comes from `AWS_ENDPOINT_URL_EC2_INSTANCE_CONNECT` or `AWS_ENDPOINT_URL`. */
export const sendKey: SendKey = async ({ endpoint: _, ...access }, { instanceId, user, publicKey }, abortSignal) => {
  const [sdk, options] = await Promise.all([import('./aws-instance-connect-sdk.js'), clientOptions(access)]);
  const client = new sdk.EC2InstanceConnectClient(options);
  try {
    await client.send(new sdk.SendSSHPublicKeyCommand({ InstanceId: instanceId, InstanceOSUser: user, SSHPublicKey: publicKey }), { abortSignal });
  } catch (error) {
    throw ec2Error(error, 'SendSSHPublicKey', 'ec2-instance-connect');
  } finally {
    client.destroy();
  }
};
