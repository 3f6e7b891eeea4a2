import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { BakeError } from '../../core/bake-error.js';
import type { ContainerPath, ContainerPort } from './container-port.js';

/** Moves tar streams in and out of a container. */
export interface Transfer {
  put(folder: string, tar: Readable, signal?: AbortSignal): Promise<void>;
  /** A path, its last component as the first entry. */
  get(path: string, signal?: AbortSignal): Promise<Readable>;
  stat(path: string, signal?: AbortSignal): Promise<ContainerPath | undefined>;
}

/** By the engine's archive calls: no program of the container's is needed. */
export function archiveTransfer(port: ContainerPort): Transfer {
  return {
    put: (folder, tar, signal) => port.putArchive(folder, tar, signal),
    get: (path, signal) => port.getArchive(path, signal),
    stat: (path, signal) => port.stat(path, signal),
  };
}

/** By the container's own tar, for memory file systems, which the archive calls do not see. */
export function programTransfer(port: ContainerPort, user: string | undefined): Transfer {
  const run = async (argv: readonly string[], more: { stdin?: Readable; signal?: AbortSignal } = {}) => {
    const out: Uint8Array[] = [];
    const err: Uint8Array[] = [];
    const code = await port.run({ argv, ...(user === undefined ? {} : { user }), ...more, onStdout: (chunk) => { out.push(chunk); }, onStderr: (chunk) => { err.push(chunk); } });
    return { code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString().trim() };
  };
  return {
    async put(folder, tar, signal) {
      const { code, stderr } = await run(['tar', '-xpf', '-', '-C', folder], { stdin: tar, ...(signal === undefined ? {} : { signal }) });
      if (code !== 0) throw new BakeError({ code: 'UploadFailed', source: 'platform', message: `could not unpack into ${folder}: ${stderr}`, hint: 'a memory file system is written to by the tar of the image: it must have one, and the folder must exist' });
    },
    async get(path, signal) {
      const { Readable } = await import('node:stream');
      const { code, stdout, stderr } = await run(['tar', '-cf', '-', '-C', posix.dirname(path), `./${posix.basename(path)}`], signal === undefined ? {} : { signal });
      if (code !== 0) throw new BakeError({ code: 'DownloadFailed', source: 'platform', message: `could not read ${path}: ${stderr}` });
      return Readable.from([stdout]);
    },
    async stat(path, signal) {
      const script = 'if [ -L "$1" ]; then echo symlink; readlink -f -- "$1"; elif [ -d "$1" ]; then echo directory; elif [ -f "$1" ]; then echo file; elif [ -e "$1" ]; then echo other; fi';
      const { stdout } = await run(['/bin/sh', '-c', script, 'sh', path], signal === undefined ? {} : { signal });
      const [type = '', target] = stdout.toString().split('\n');
      return type === '' ? undefined : { type: type as ContainerPath['type'], size: 0, ...(target ? { linkTarget: target } : {}) };
    },
  };
}

/** What stands at the end of a chain of links, with its own path. */
export async function followLinks(transfer: Transfer, path: string, signal?: AbortSignal): Promise<{ readonly path: string; readonly facts: ContainerPath | undefined }> {
  let here = path;
  for (let step = 0; step < 40; step++) {
    const facts = await transfer.stat(here, signal);
    if (facts?.type !== 'symlink' || facts.linkTarget === undefined) return { path: here, facts };
    here = posix.resolve(posix.dirname(here), facts.linkTarget);
  }
  return { path: here, facts: undefined };
}
