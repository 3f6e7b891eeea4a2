import type { Ec2Access } from '../steps.js';

/** A session that forwards a port. Whoever has its token can use it. */
export interface Session {
  readonly id: string;
  readonly streamUrl: string;
  readonly token: string;
  /** Where the service is, for whoever has to ask it again. */
  readonly endpoint: string;
}

/** What is needed of Session Manager. Failures are BakeErrors; `Ec2AgentOffline` where the machine has not announced itself (yet). */
export interface SessionPort {
  /** To a port of the machine; `localPort` 0 is any free one. */
  start(instanceId: string, ports: { readonly port: number; readonly localPort: number }, signal: AbortSignal): Promise<Session>;
  /** Ending what has ended succeeds. */
  terminate(id: string, signal: AbortSignal): Promise<void>;
}

export type SessionsFor = (access: Ec2Access) => SessionPort;
