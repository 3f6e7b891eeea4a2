import type { SSMClient } from '@aws-sdk/client-ssm';
import type { Ec2Access } from '../steps.js';
import { calling, orGone } from './aws-call.js';
import { besideEc2, opener } from './aws-client.js';
import type { Session, SessionPort } from './session-port.js';

/** Amazon's. */
export const awsSessions = besideEc2((access): SessionPort => new AwsSessions(access));

class AwsSessions implements SessionPort {
  readonly #open;

  constructor(access: Ec2Access) {
    this.#open = opener(access, () => import('./aws-ssm-sdk.js'), (sdk, options): SSMClient => new sdk.SSMClient(options));
  }

  async start(instanceId: string, { port, localPort }: { readonly port: number; readonly localPort: number }, abortSignal: AbortSignal): Promise<Session> {
    const { sdk, client } = await this.#open();
    const { SessionId = '', StreamUrl = '', TokenValue = '' } = await calling('StartSession', () => client.send(new sdk.StartSessionCommand({
      Target: instanceId, DocumentName: 'AWS-StartPortForwardingSession', Reason: 'bake', Parameters: { portNumber: [String(port)], localPortNumber: [String(localPort)] },
    }), { abortSignal }), 'ssm');
    return { id: SessionId, streamUrl: StreamUrl, token: TokenValue, endpoint: await this.#endpoint() };
  }

  async terminate(id: string, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    await orGone(() => calling('TerminateSession', () => client.send(new sdk.TerminateSessionCommand({ SessionId: id }), { abortSignal }), 'ssm'));
  }

  async #endpoint(): Promise<string> {
    const { client } = await this.#open();
    const given = await client.config.endpoint?.();
    if (given !== undefined) return `${given.protocol}//${given.hostname}${given.port === undefined ? '' : `:${given.port}`}`;
    const region = await client.config.region();
    return `https://ssm.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
  }
}
