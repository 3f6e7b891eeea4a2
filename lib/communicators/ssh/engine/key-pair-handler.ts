import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import ssh2 from 'ssh2';
import { type JsonObject, sha256 } from '../../../core/json.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import type { SshKeyPairSpec } from '../steps.js';
import { fingerprintOf } from './host-trust.js';

/** The step's outputs; the private key itself is never among them. */
export interface KeyPairHandle extends JsonObject {
  readonly privateKeyFile: string;
  readonly publicKey: string;
  readonly fingerprint: string;
}

type Generated = { readonly private: string; readonly public: string };

/** Makes the key pair in the step's own folder: whoever finds that folder finds the key, and no other place has one. */
export const keyPairHandler: ResourceHandler<SshKeyPairSpec, KeyPairHandle> = {
  async acquire(spec, ctx) {
    const pair = await generate(spec, ctx.token);
    const privateKeyFile = fileOf(ctx);
    await mkdir(ctx.run.tmp, { recursive: true, mode: 0o700 });
    await writeFile(privateKeyFile, pair.private, { mode: 0o600, flag: 'wx' });
    return { privateKeyFile, ...describe(pair.public) };
  },
  async find(_token, _spec, ctx) {
    const privateKeyFile = fileOf(ctx);
    const text = await readFile(privateKeyFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
    });
    if (text === undefined) return undefined;
    const key = ssh2.utils.parseKey(text);
    if (key instanceof Error) return { privateKeyFile, publicKey: '', fingerprint: '' }; // half written: only good for removing
    return { privateKeyFile, ...describe(`${key.type} ${key.getPublicSSH().toString('base64')} ${key.comment}`) };
  },
  // A machine that is brought back lets in who had the key.
  checkpoint: {
    async save({ privateKeyFile, publicKey }, { folder }, ctx) {
      const name = `key-${sha256(ctx.step.id).slice(0, 12)}`;
      await copyFile(privateKeyFile, join(folder, name));
      return { name, publicKey };
    },
    async restore({ folder, saved }, _spec, ctx) {
      const { name, publicKey } = saved as { readonly name: string; readonly publicKey: string };
      const privateKeyFile = fileOf(ctx);
      await mkdir(ctx.run.tmp, { recursive: true, mode: 0o700 });
      await writeFile(privateKeyFile, await readFile(join(folder, basename(name))), { mode: 0o600 });
      return { privateKeyFile, ...describe(publicKey) };
    },
  },
  async release({ privateKeyFile }) {
    await rm(privateKeyFile, { force: true });
  },
};

function fileOf(ctx: StepContext): string {
  return join(ctx.run.tmp, 'key');
}

function describe(publicKey: string): { readonly publicKey: string; readonly fingerprint: string } {
  return { publicKey, fingerprint: fingerprintOf(Buffer.from(publicKey.split(' ')[1] ?? '', 'base64')) };
}

const ed25519BlobLength = 51;

async function generate(spec: SshKeyPairSpec, comment: string): Promise<Generated> {
  if (spec.type === 'rsa') return promisify<'rsa', object, Generated>(ssh2.utils.generateKeyPair)('rsa', { bits: spec.bits ?? 3072, comment });
  if (spec.type === 'ecdsa') return ssh2.utils.generateKeyPairSync('ecdsa', { bits: spec.bits ?? 256, comment });
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment });
    // The library drops zero bytes at the start of a public key, which one key in 256 has.
    if (Buffer.from(pair.public.split(' ')[1] ?? '', 'base64').length === ed25519BlobLength) return pair;
  }
}
