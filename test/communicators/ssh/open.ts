import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { sshExtension } from '../../../lib/communicators/ssh/communicator.js';
import type { Communicator, Connection } from '../../../lib/core/communicator.js';
import type { JsonObject } from '../../../lib/core/json.js';
import { systemClock } from '../../../lib/toolkit/host/clock.js';
import { systemExec } from '../../../lib/toolkit/host/exec.js';
import type { Sshd } from '../../support/sshd.js';

/** How to reach a test server with the key that it lets in, its host key known. */
export function connectionTo(sshd: Sshd, more: JsonObject = {}): Connection {
  return {
    kind: 'ssh', host: sshd.host, port: sshd.port, user: sshd.user, privateKeyFile: sshd.privateKeyFile,
    hostKey: { policy: 'publicKey', keys: sshd.hostPublicKeys }, timeout: 10_000, ...more,
  };
}

/** Opens a connection as the engine does; closed with the test. */
export async function openSsh(t: Test, connection: Connection, more: { readonly signal?: AbortSignal; readonly log?: (line: string) => void } = {}): Promise<Communicator> {
  const open = await sshExtension.communicators!['ssh']!();
  const communicator = await open(connection, {
    exec: systemExec(), clock: systemClock, signal: more.signal ?? new AbortController().signal, tmp: tmpdir(), log: more.log ?? (() => {}),
  });
  t.teardown(() => communicator.close());
  return communicator;
}

/** A folder in the machine's (that is, this one's) file system; removed with the test. */
export async function scratch(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bake-test-ssh-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** What a promise was rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  return promise.then(() => new Error('it was not rejected'), (error: Error) => error);
}
