import type { Exec } from '../core/ports.js';
import type { Toolkit } from '../toolkit/toolkit-api.js';

/** Makes the toolkit when it is first asked for: help and completion never load it. */
export function createToolkitLazily(options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv }): () => Promise<Toolkit> {
  let toolkit: Promise<Toolkit> | undefined;
  return () => (toolkit ??= import('../toolkit/create-toolkit.js').then(({ createToolkit }) => createToolkit(options)));
}

export async function systemExecLazily(): Promise<Exec> {
  const { systemExec } = await import('../toolkit/host/exec.js');
  return systemExec();
}
