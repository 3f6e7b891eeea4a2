import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../support/sshd.js';

/** A user of `startRegistry({ login: true })`. */
export const registryUser = { username: 'baker', password: 'oven-secret' } as const;
/** bcrypt of that password. */
const htpasswd = '$2b$04$aRd3vRM5Bq3Ziq6h4PHXDuQe9oa7EUoYO9Z4ukF8v8AGmdzaD/llW';

export interface Registry {
  /** `127.0.0.1:<port>`: the daemon takes plain HTTP from loopback. */
  readonly host: string;
  stop(): Promise<void>;
}

/** Debian's docker-registry on a free loopback port, with its files in a folder of its own. */
export async function startRegistry(options: { readonly login?: boolean } = {}): Promise<Registry> {
  const folder = await mkdtemp(join(tmpdir(), 'bake-test-registry-'));
  const host = `127.0.0.1:${await freePort()}`;
  await writeFile(join(folder, 'htpasswd'), `${registryUser.username}:${htpasswd}\n`);
  await writeFile(join(folder, 'config.yml'), [
    'version: 0.1', 'log: {level: error}', `storage: {filesystem: {rootdirectory: ${join(folder, 'data')}}}`, `http: {addr: "${host}"}`,
    ...(options.login ? [`auth: {htpasswd: {realm: test, path: ${join(folder, 'htpasswd')}}}`] : []),
  ].join('\n'));
  const child = spawn('docker-registry', ['serve', join(folder, 'config.yml')], { stdio: 'ignore' });
  const gone = new Promise<void>((resolve) => { child.once('exit', () => resolve()); child.once('error', () => resolve()); });
  await answering(`http://${host}/v2/`, gone);
  return {
    host,
    async stop() {
      child.kill('SIGTERM');
      await gone;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answering(url: string, gone: Promise<void>): Promise<void> {
  let over = false;
  void gone.then(() => { over = true; });
  while (!over) {
    if (await fetch(url).then(() => true, () => false)) return;
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
  throw new Error('docker-registry did not start');
}
