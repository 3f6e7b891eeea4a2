import type { ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { launchMoto } from '../support/moto.js';
import type { BenchHost, Case } from './cases.js';
import { type CountingProxy, startCountingProxy } from './counting-proxy.js';

export interface Ec2Host extends BenchHost {
  readonly cloud: CountingProxy;
}

/** An EC2 that is not ours, for as long as the bench goes on; it takes part of the time of each call from both. */
export async function startEc2(port: number): Promise<{ readonly cloud: CountingProxy; readonly process: ChildProcess }> {
  const { url, process } = await launchMoto(port);
  return { cloud: await startCountingProxy(url), process };
}

/** AMIs of a region, side by side; the machines of all are the bench's own sshd. */
export function ec2Case(host: Ec2Host, builds: number): Case {
  const { sshd, cloud } = host;
  const { url } = cloud;
  const cwd = join(host.folder, `ec2-${builds}`);
  mkdirSync(cwd, { recursive: true });
  const numbers = Array.from({ length: builds }, (_, index) => index);
  writeFileSync(join(cwd, 'image.ts'), `import { App, Image, Shell } from 'bake-sdk';
import { AmiLookup, Ec2Source, HostKey } from 'bake-sdk/ec2';
const image = new Image(new App(), 'Web');
const ssh = { host: '${sshd.host}', port: ${sshd.port}, user: '${sshd.user}', privateKeyFile: '${sshd.privateKeyFile}', hostKey: HostKey.publicKey('${sshd.hostPublicKey}') };
for (let i = 0; i < ${builds}; i++) new Ec2Source(image, \`E\${i}\`, { baseImage: AmiLookup.mostRecent({ owners: ['137112412989'], name: 'amzn-ami-hvm-*' }), instanceType: 't2.micro', userData: false, allowFrom: ['203.0.113.7/32'], ssh });
new Shell(image, 'One', { inline: ['true'] });
`);
  writeFileSync(join(cwd, 'image.pkr.hcl'), `${numbers.map((index) => `source "amazon-ebs" "e${index}" {
  region = "eu-west-1"
  access_key = "test"
  secret_key = "test"
  custom_endpoint_ec2 = "${url}"
  skip_metadata_api_check = true
  skip_region_validation = true
  skip_credential_validation = true
  instance_type = "t2.micro"
  ami_name = "packer-e${index}-{{uuid}}"
  temporary_security_group_source_cidrs = ["203.0.113.7/32"]
  source_ami_filter {
    filters = { name = "amzn-ami-hvm-*" }
    owners = ["137112412989"]
    most_recent = true
  }
  ssh_keypair_name = "bench"
  ssh_private_key_file = "${sshd.privateKeyFile}"
  ssh_username = "${sshd.user}"
  ssh_host = "${sshd.host}"
  ssh_port = ${sshd.port}
}
`).join('')}build {
  sources = [${numbers.map((index) => `"amazon-ebs.e${index}"`).join(', ')}]
  provisioner "shell" {
    inline = ["true"]
  }
}
`);
  const aws = { AWS_ENDPOINT_URL: url, AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_EC2_METADATA_DISABLED: 'true' };
  return {
    name: `ec2: ${builds} AMI${builds === 1 ? '' : 's'} on moto`,
    bake: { command: process.execPath, args: [host.bake, 'run', '--no-cache'], cwd, env: aws },
    others: [{ name: 'packer build', run: { command: 'packer', args: ['build', 'image.pkr.hcl'], cwd, env: { CHECKPOINT_DISABLE: '1', PACKER_CONFIG_DIR: cwd, PACKER_NO_COLOR: '1', AWS_POLL_DELAY_SECONDS: '1' } } }],
    goal: builds === 1 ? { seconds: 1 } : { ratio: 1, to: 'packer build' },
    memory: true,
    calls: () => cloud.take(),
  };
}
