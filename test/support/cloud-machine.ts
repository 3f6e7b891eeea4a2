// A machine that does with its user data what cloud-init on EC2 does with what bake asks for: a container with a real sshd.
import { execFileSync } from 'node:child_process';
import { DescribeInstanceAttributeCommand, DescribeInstancesCommand, type EC2Client } from '@aws-sdk/client-ec2';
import type { Test } from 'tap';
import { baseImage } from '../platforms/docker/base-image.js';
import { freePort } from './sshd.js';

const image = 'bake-test/sshd:12';
const docker = (...args: readonly string[]) => execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();

export interface CloudMachine {
  /** Of this computer, where its sshd will be. */
  readonly port: number;
  /** What the instance was given; undefined before there was one. */
  readonly userData: () => string | undefined;
  /** Runs a command in it as root; its output. */
  readonly run: (command: string) => string;
}

interface CloudConfig {
  readonly users: readonly (string | { readonly name: string; readonly sudo?: readonly string[]; readonly ssh_authorized_keys: readonly string[] })[];
  readonly ssh_keys: { readonly ed25519_private: string; readonly ed25519_public: string };
}

/** Waits for an instance of ours and becomes it. It ends with the test. */
export async function startCloudMachine(t: Test, client: EC2Client): Promise<CloudMachine> {
  if (docker('images', '-q', image) === '') {
    const builder = docker('run', '-d', await baseImage(), 'sh', '-c', 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends openssh-server sudo && mkdir -p /run/sshd');
    docker('wait', builder);
    docker('commit', builder, image);
    docker('rm', builder);
  }
  const port = await freePort();
  const name = `bake-test-machine-${port}`;
  let userData: string | undefined;
  const timer = setInterval(() => {
    if (userData !== undefined) return;
    void findUserData(client).then((text) => {
      if (text === undefined || userData !== undefined) return;
      userData = text;
      docker('run', '-d', '--name', name, '-p', `127.0.0.1:${port}:22`, image, 'sh', '-c', firstBoot(JSON.parse(text.replace(/^#cloud-config\n/, '')) as CloudConfig));
    }).catch((error: unknown) => t.fail(String(error)));
  }, 50);
  t.teardown(() => {
    clearInterval(timer);
    execFileSync('sh', ['-c', 'docker rm -f "$1" > /dev/null 2>&1 || true', 'sh', name]);
  });
  return { port, userData: () => userData, run: (command) => docker('exec', name, 'sh', '-c', command) };
}

async function findUserData(client: EC2Client): Promise<string | undefined> {
  const { Reservations = [] } = await client.send(new DescribeInstancesCommand({ Filters: [{ Name: 'tag-key', Values: ['bake:run'] }, { Name: 'instance-state-name', Values: ['running'] }] }));
  const id = Reservations[0]?.Instances?.[0]?.InstanceId;
  if (id === undefined) return undefined;
  const { UserData } = await client.send(new DescribeInstanceAttributeCommand({ InstanceId: id, Attribute: 'userData' }));
  return UserData?.Value === undefined ? undefined : Buffer.from(UserData.Value, 'base64').toString();
}

/** https://docs.cloud-init.io/en/latest/reference/modules.html: users-groups and ssh. */
function firstBoot({ users, ssh_keys: keys }: CloudConfig): string {
  const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  const lines = users.flatMap((user) => (typeof user === 'string' ? [] : [
    `id ${user.name} > /dev/null 2>&1 || useradd --create-home --shell /bin/bash ${user.name}`, `home=$(getent passwd ${user.name} | cut -d: -f6)`,
    `mkdir -p -m 700 $home/.ssh; printf %s ${quoted(`${user.ssh_authorized_keys.join('\n')}\n`)} > $home/.ssh/authorized_keys; chown -R ${user.name}: $home/.ssh`,
    ...(user.sudo ?? []).map((rule) => `echo ${quoted(`${user.name} ${rule}`)} > /etc/sudoers.d/90-${user.name}`),
  ]));
  return [
    'rm -f /etc/ssh/ssh_host_*', `umask 077; printf %s ${quoted(keys.ed25519_private)} > /etc/ssh/ssh_host_ed25519_key; umask 022`, `echo ${quoted(keys.ed25519_public)} > /etc/ssh/ssh_host_ed25519_key.pub`,
    ...lines, 'echo 0123456789abcdef0123456789abcdef > /etc/machine-id', 'mkdir -p /run/sshd', 'exec /usr/sbin/sshd -D',
  ].join('\n');
}
