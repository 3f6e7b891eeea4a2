import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shellQuote } from '../../lib/core/quote.js';
import type { BenchHost, Case } from './cases.js';
import type { Command } from './measure.js';

/** Whether `bake` has seen the files before as they are, or must read them and stage a copy. */
export type Seen = 'known' | 'changed';

/** One file over ssh, as a whole `bake run`, beside `scp`. */
export function sshFileCase(host: BenchHost, mebibytes: number, seen: Seen): Case {
  const { cwd, bake } = project(host, `ssh-file-${mebibytes}-${seen}`, './blob', 'bake-blob');
  writeFileSync(join(cwd, 'blob'), Buffer.alloc(mebibytes * 1024 * 1024, 'bake'));
  const { sshd } = host;
  const scp: Command = { command: 'scp', args: [...options(host, '-P'), 'blob', `${sshd.user}@${sshd.host}:${join(cwd, 'scp-blob')}`], cwd };
  return { name: `ssh: upload of one ${mebibytes} MiB file (${seen})`, bake: seen === 'known' ? bake : touched(bake, 'blob'), others: [{ name: 'scp', run: scp }], goal: { ratio: 1, to: 'scp' } };
}

/** Many files of 1 KiB over ssh, as a whole `bake run`, beside `tar | ssh tar x`. */
export function sshFolderCase(host: BenchHost, files: number, seen: Seen): Case {
  const { cwd, bake } = project(host, `ssh-folder-${files}-${seen}`, './many/', 'bake-many');
  mkdirSync(join(cwd, 'many'), { recursive: true });
  for (let index = 0; index < files; index++) writeFileSync(join(cwd, 'many', `file-${index}`), Buffer.alloc(1024, 'bake'));
  const { sshd } = host;
  const target = join(cwd, 'tar-many');
  const ssh = ['ssh', ...options(host, '-p'), `${sshd.user}@${sshd.host}`, `mkdir -p ${shellQuote(target)} && tar x -C ${shellQuote(target)}`].map(shellQuote).join(' ');
  const tar: Command = { command: 'bash', args: ['-o', 'pipefail', '-c', `tar c -C many . | ${ssh}`], cwd };
  return { name: `ssh: upload of ${files} small files (${seen})`, bake: seen === 'known' ? bake : touched(bake, 'many'), others: [{ name: 'tar | ssh tar x', run: tar }], goal: { ratio: 1.3, to: 'tar | ssh tar x' } };
}

/** Both sides are in the bench's folder: where that lies decides what the disk costs. */
function project(host: BenchHost, name: string, source: string, destination: string): { readonly cwd: string; readonly bake: Command } {
  const cwd = join(host.folder, name);
  mkdirSync(cwd, { recursive: true });
  const { sshd } = host;
  writeFileSync(join(cwd, 'image.ts'), `import { App, File, HostKey, Image } from 'bake-sdk';
import { NullSource } from 'bake-sdk/null';
const image = new Image(new App(), 'Web');
new NullSource(image, 'Null', { ssh: { host: '${sshd.host}', port: ${sshd.port}, user: '${sshd.user}', privateKeyFile: '${sshd.privateKeyFile}', hostKey: HostKey.publicKey('${sshd.hostPublicKey}') } });
new File(image, 'Upload', { source: '${source}', destination: '${join(cwd, destination)}' });
`);
  return { cwd, bake: { command: process.execPath, args: [host.bake, 'run'], cwd } };
}

function touched({ command, args, cwd }: Command, path: string): Command {
  return { command: 'bash', args: ['-c', 'find "$1" -type f -exec touch {} + && shift && exec "$@"', '--', path, command, ...args], cwd };
}

function options({ sshd }: BenchHost, port: '-p' | '-P'): readonly string[] {
  return ['-F', '/dev/null', '-i', sshd.privateKeyFile, port, String(sshd.port), '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR'];
}
