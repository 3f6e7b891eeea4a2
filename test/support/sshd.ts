import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface SshdOptions {
  /** @default - a free one */
  readonly port?: number;
  /** Key types of the host, in the order of `HostKey` lines. @default ['ed25519'] */
  readonly hostKeyTypes?: readonly ('ed25519' | 'ecdsa' | 'rsa')[];
  /** Public keys that may log in, beside the one in `privateKeyFile`. */
  readonly authorizedKeys?: readonly string[];
  /** More lines for its configuration; they win over ours. */
  readonly config?: readonly string[];
}

/** A real OpenSSH server on loopback, with keys and a configuration of its own. */
export interface Sshd {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** Who may log in: the user that runs the tests. */
  readonly user: string;
  /** An ed25519 key that is let in. */
  readonly privateKeyFile: string;
  /** `ssh-ed25519 AAAA…`, the first of the host's keys. */
  readonly hostPublicKey: string;
  readonly hostPublicKeys: readonly string[];
  /** Folder of its files, for more of them; removed by `stop`. */
  readonly folder: string;
  /** Process ids that serve open connections: to be killed or frozen. */
  connections(): number[];
  /** Ends it with its connections. Idempotent. */
  stop(): Promise<void>;
}

/** Starts one and resolves when it listens. Always `t.teardown(() => sshd.stop())`. */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const folder = await mkdtemp(join(tmpdir(), 'bake-test-sshd-'));
  const types = options.hostKeyTypes ?? ['ed25519'];
  const hostKeys = await Promise.all(types.map((type) => makeKey(join(folder, `host_${type}`), type)));
  const login = await makeKey(join(folder, 'login'), 'ed25519');
  await writeFile(join(folder, 'authorized_keys'), [login.publicKey, ...(options.authorizedKeys ?? [])].join('\n') + '\n', { mode: 0o600 });
  await mkdir(join(folder, 'home'));
  const port = options.port ?? await freePort();
  await writeFile(join(folder, 'sshd_config'), [
    ...(options.config ?? []), // the first value of an option counts
    'ListenAddress 127.0.0.1', `Port ${port}`, ...hostKeys.map((key) => `HostKey ${key.file}`), `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
    'PidFile none', 'StrictModes no', 'UsePAM no', 'PasswordAuthentication no', 'KbdInteractiveAuthentication no', 'PermitRootLogin yes',
    `SetEnv HOME=${join(folder, 'home')}`, // the user's own start-up files would slow every command down
    'Subsystem sftp internal-sftp', 'MaxStartups 100', 'UseDNS no',
  ].join('\n') + '\n');
  if (userInfo().uid === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });

  const child = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', join(folder, 'sshd_config')], { stdio: ['ignore', 'ignore', 'pipe'] });
  const onExit = () => { child.kill('SIGKILL'); }; // a test that crashes takes it along
  process.once('exit', onExit);
  await listening(child);
  let stopped = false;
  return {
    host: '127.0.0.1', port, user: userInfo().username, privateKeyFile: login.file, folder,
    hostPublicKey: hostKeys[0]!.publicKey, hostPublicKeys: hostKeys.map((key) => key.publicKey),
    connections: () => childrenOf(child.pid!),
    async stop() {
      if (stopped) return;
      stopped = true;
      process.off('exit', onExit);
      const gone = new Promise<void>((resolve) => { child.once('exit', () => resolve()); });
      for (const pid of childrenOf(child.pid!)) kill(pid, 'SIGKILL');
      if (child.exitCode === null) {
        child.kill('SIGTERM');
        await gone;
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A new key pair in OpenSSH's own format; `file` is the private half at mode 0600. */
export async function makeKey(file: string, type: 'ed25519' | 'ecdsa' | 'rsa', passphrase = ''): Promise<{ readonly file: string; readonly publicKey: string }> {
  await run('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', 'bake-test', '-f', file]);
  const [kind, data] = (await readFile(`${file}.pub`, 'utf8')).split(' ');
  return { file, publicKey: `${kind} ${data}` };
}

/** A loopback port on which nothing listens at the moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

function listening(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr!.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-8192);
      if (said.includes('Server listening on')) resolve();
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`sshd did not start: ${said}`)));
  });
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent;
    } catch {
      return false; // it ended meanwhile
    }
  });
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch { /* it ended meanwhile */ }
}
