import { connect } from 'node:net';
import type { StepContext } from '../../../engine/handler.js';
import type { Finding } from './verify-handler.js';

/** Milliseconds for one attempt. */
const patience = 5_000;

/**
 * Whether somebody listens. What forwards ports may accept a connection that leads nowhere and close it at once: one that
 * stays open for a moment, or says something, counts.
 */
export function tryPort({ host, port }: { readonly host: string; readonly port: number }, { signal }: Pick<StepContext, 'signal'>): Promise<Finding | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]) });
    const done = (finding?: Finding) => {
      socket.destroy();
      resolve(finding);
    };
    socket.on('connect', () => {
      socket.setTimeout(settled, () => done());
      socket.on('data', () => done());
    });
    socket.on('end', () => done({ message: 'the connection was closed at once' }));
    socket.on('error', (error: NodeJS.ErrnoException) => done({ message: error.code === 'ECONNREFUSED' ? 'nobody listens there' : `it does not answer (${error.code ?? error.message})` }));
  });
}

/** Milliseconds after which a connection that was not closed counts as one with a listener. */
const settled = 500;
