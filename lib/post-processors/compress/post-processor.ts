import { BakeError } from '../../core/bake-error.js';
import type { DoctorCheck, DoctorHost, Extension } from '../../engine/extension.js';
import { compressStep } from './steps.js';

/** Compressed files and archives. */
export const compressExtension: Extension = {
  name: 'compress',
  steps: [{ kind: compressStep, load: async () => (await import('./engine/compress-handler.js')).compressHandler }],
  doctor: (host) => Promise.all([checkProgram(host, 'zstd', 'zstd'), checkProgram(host, 'xz', 'xz-utils'), checkProgram(host, 'lz4', 'lz4')]),
};

async function checkProgram({ exec, hasApt }: DoctorHost, command: string, debianPackage: string): Promise<DoctorCheck> {
  const version = await exec.run({ command, args: ['--version'] }).then(({ stdout }) => stdout.split('\n')[0] ?? '', (error: unknown) => {
    if (BakeError.is(error) && error.code === 'CommandNotFound') return undefined;
    throw error;
  });
  return {
    name: command, required: false, ok: version !== undefined,
    detail: version ?? `not found; Compress needs it for ${command === 'zstd' ? 'zst (Node 22.15 and later can do without)' : command}`,
    ...(version === undefined && hasApt ? { install: [['apt-get', 'install', '-y', debianPackage]] } : {}),
  };
}
