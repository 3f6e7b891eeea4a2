import type { Duplex } from 'node:stream';
import ssh2 from 'ssh2';
import { BakeError } from '../../../core/bake-error.js';
import type { SshAlgorithmChoice, SshConnection, SshLogin } from '../connection.js';
import { algorithmError, algorithmsOf } from './algorithms.js';
import { AuthMethods } from './auth-methods.js';
import { isCertified } from './certificate.js';
import type { HostTrust } from './host-trust.js';
import { NotReady, notReady } from './not-ready.js';
import { offerCertificates } from './offer-certificates.js';
import type { LoadedKey } from './private-key.js';

export interface LoginOptions {
  readonly stream: Duplex;
  readonly login: SshLogin & SshAlgorithmChoice & Pick<SshConnection, 'agentForwarding'>;
  readonly keys: readonly LoadedKey[];
  readonly trust: HostTrust;
  /** Milliseconds from here to the login. */
  readonly limit: number;
  /** Milliseconds between two signs of life. */
  readonly keepaliveInterval: number;
  readonly signal: AbortSignal;
}

type LibraryError = Error & { readonly level?: string };

/**
 * Shakes hands over a stream, judges the host's key and logs in. Rejects with `NotReady` where another attempt may succeed.
 * @throws BakeError `HostKeyMismatch`, `HostKeyUnknown`, `AuthenticationFailed`, `SshAlgorithms`
 */
export function logIn(options: LoginOptions): Promise<ssh2.Client> {
  const { stream, login, trust, signal } = options;
  const methods = new AuthMethods(login, options.keys);
  const client = new ssh2.Client();
  let refusal: BakeError | undefined;
  let loginStarted = false;
  let lastNote: string | undefined;

  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      signal.removeEventListener('abort', onAbort);
      client.destroy();
      stream.destroy();
      reject(error);
    };
    const onAbort = () => fail(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });

    client.on('error', (error: LibraryError) => {
      if (refusal !== undefined) fail(refusal);
      else if (/All configured authentication|Too many authentication/i.test(error.message)) fail(authenticationFailed(login, methods, lastNote));
      else if (error.level === 'agent' || error.level === 'client-authentication') lastNote = error.message; // the next method follows
      else if (/no matching/i.test(error.message)) fail(trust.exhaust() ?? algorithmError(error.message));
      else fail(notReady(error));
    });
    client.on('close', () => fail(new NotReady(loginStarted ? 'the connection was closed during the login' : 'the connection was closed during the handshake')));
    client.on('ready', () => {
      signal.removeEventListener('abort', onAbort);
      resolve(client);
    });
    try {
      client.connect({
        sock: stream,
        username: login.user,
        ...(login.agent === undefined ? {} : { agent: login.agent }),
        agentForward: login.agentForwarding === true,
        algorithms: algorithmsOf(login, trust.keyTypes),
        hostVerifier: (key: Buffer) => {
          refusal = trust.judge(key);
          return refusal === undefined;
        },
        authHandler: (taken, _partial, next) => {
          loginStarted = true;
          const method = methods.next(taken as readonly string[] | null);
          // The library takes false for "no more methods", which its types do not know.
          next(method ?? (false as unknown as ssh2.AnyAuthMethod));
        },
        readyTimeout: options.limit,
        keepaliveInterval: options.keepaliveInterval,
        keepaliveCountMax: Number.MAX_SAFE_INTEGER, // it only sends; `Liveness` judges by what comes back
      });
    } catch (error) {
      return fail(algorithmError((error as Error).message));
    }
    try {
      if (options.keys.some(({ key }) => isCertified(key))) offerCertificates(client, fail);
    } catch (error) {
      fail(error as Error);
    }
  });
}

function authenticationFailed(login: SshLogin, methods: AuthMethods, note: string | undefined): BakeError {
  const takes = methods.taken === undefined ? '' : `; it takes ${methods.taken.join(', ')}`;
  return new BakeError({
    code: 'AuthenticationFailed', source: 'platform',
    message: `${login.host} does not let ${login.user} in: tried ${methods.tried.join(', ') || 'nothing, because it takes none of what was given'}${takes}${note === undefined ? '' : ` (${note})`}`,
    hint: methods.tried.includes('none') ? 'give privateKeyFile, agent or password' : 'check the user and that the key is in its authorized_keys or the password is right',
  });
}
