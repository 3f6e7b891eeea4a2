// An EC2 that is not ours: moto's server, with the checks that are closer to Amazon's.
import { type ChildProcess, spawn } from 'node:child_process';
import type { Test } from 'tap';
import { freePort } from './sshd.js';

/** Where test/setup/install.sh puts it. */
const motoPython = '/opt/bake-test-moto/bin/python';

export interface Moto {
  readonly url: string;
  /** For the environment of `bake`. */
  readonly env: Readonly<Record<string, string>>;
  /** Forgets all. */
  reset(): Promise<void>;
}

/** Starts one for whoever ends it, and waits until it answers. @param more for its environment */
export async function launchMoto(port: number, more: Readonly<Record<string, string>> = {}): Promise<{ readonly url: string; readonly process: ChildProcess }> {
  const child = spawn(motoPython, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], {
    stdio: 'ignore', env: { ...process.env, MOTO_ENABLE_AMI_VALIDATION: 'true', MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION: 'true', MOTO_ENABLE_KEYPAIR_VALIDATION: 'true', ...more },
  });
  const url = `http://127.0.0.1:${port}`;
  while (!(await fetch(`${url}/moto-api/`).then(() => true, () => false))) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('moto did not start: test/setup/install.sh installs it');
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  return { url, process: child };
}

/** Starts one; it ends with the test. @param more for its environment */
export async function startMoto(t: Test, more: Readonly<Record<string, string>> = {}): Promise<Moto> {
  const { url, process: child } = await launchMoto(await freePort(), more);
  const gone = new Promise<void>((resolve) => { child.once('exit', () => resolve()); });
  t.teardown(async () => { child.kill('SIGKILL'); await gone; });
  return {
    url,
    env: { AWS_ENDPOINT_URL: url, AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_EC2_METADATA_DISABLED: 'true' },
    async reset() { await fetch(`${url}/moto-api/reset`, { method: 'POST' }); },
  };
}
