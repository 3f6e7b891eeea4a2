import type { DoctorCheck, DoctorHost } from '../../../engine/extension.js';
import { BakeError } from '../../../core/bake-error.js';
import type { DockerEngine } from './docker-engine.js';

/** Starts the daemon where there is no systemd, and waits until it answers. */
const startByHand = 'setsid dockerd >/var/log/dockerd.log 2>&1 </dev/null & for i in $(seq 1 100); do docker version >/dev/null 2>&1 && exit 0; sleep 0.2; done; tail /var/log/dockerd.log; exit 1';

/** Whether a daemon answers, and what makes one answer. */
export async function dockerDoctor(engine: DockerEngine, host: DoctorHost): Promise<readonly DoctorCheck[]> {
  try {
    const { version, apiVersion, os, arch } = await engine.version();
    return [{ name: 'docker daemon', ok: true, required: true, detail: `Docker ${version} (API ${apiVersion}) for ${os}/${arch}` }];
  } catch (error) {
    const { message } = BakeError.from(error);
    const install = await installCommands(host);
    return [{ name: 'docker daemon', ok: false, required: true, detail: message, ...(install.length === 0 ? {} : { install }) }];
  }
}

async function installCommands({ exec, os, hasApt }: DoctorHost): Promise<readonly (readonly string[])[]> {
  if (os !== 'linux') return [];
  const works = (command: string, args: readonly string[]) => exec.run({ command, args }).then(({ code }) => code === 0, () => false);
  const [isInstalled, hasSystemd] = await Promise.all([works('dockerd', ['--version']), works('test', ['-d', '/run/systemd/system'])]);
  if (!isInstalled && !hasApt) return [];
  return [
    ...(isInstalled ? [] : [['apt-get', 'install', '-y', 'docker.io']]),
    hasSystemd ? ['systemctl', 'start', 'docker'] : ['sh', '-c', startByHand],
  ];
}
