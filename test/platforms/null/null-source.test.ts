import t from 'tap';
import { z } from 'zod';
import { Secret } from '../../../lib/core/secret.js';
import { Duration } from '../../../lib/core/duration.js';
import { App } from '../../../lib/image/app.js';
import type { CompiledStep, ProvisionerScope } from '../../../lib/image/compile.js';
import { Image } from '../../../lib/image/image.js';
import { Provisioner, type ProvisionerProps } from '../../../lib/image/provisioner.js';
import { build } from '../../../lib/image/ref.js';
import { late } from '../../../lib/plan/late.js';
import { defineStepKind } from '../../../lib/plan/step-kind.js';
import { HostKey, NullSource, type NullSourceProps } from '../../../lib/platforms/null/index.js';
import { synthesize } from '../../../lib/synth/synthesize.js';

const remote = defineStepKind({ kind: 'test.remote', type: 'action', version: 1, outputs: [], spec: z.strictObject({ connection: late(z.looseObject({})), about: z.unknown() }) });
const here = defineStepKind({ kind: 'test.here', type: 'action', version: 1, outputs: [], spec: z.strictObject({}) });

class Remote extends Provisioner {
  readonly propNames = {};
  compile(_: ProvisionerProps, { connection }: ProvisionerScope): CompiledStep {
    return { kind: remote, title: 'needs a machine', spec: { connection, about: { user: build.user, host: build.host, port: build.port } } };
  }
}

class Here extends Provisioner {
  readonly propNames = {};
  compile(): CompiledStep {
    return { kind: here, title: 'needs none', spec: {} };
  }
}

t.test('an ssh source hands its connection on, with secrets as references and times in milliseconds', async (t) => {
  const { plans, diagnostics } = synth({
    ssh: {
      host: 'db.example.org', user: 'admin', password: Secret.env('DB_PASSWORD'), agent: true, timeout: Duration.minutes(2),
      hostKey: HostKey.fingerprint(`SHA256:${'A'.repeat(43)}`),
      bastion: { host: 'jump.example.org', user: 'me', privateKeyFile: '~/.ssh/id_ed25519' },
    },
  }, Remote);
  t.strictSame(diagnostics, []);
  const steps = plans[0]!.steps;
  t.strictSame(steps.map((step) => [step.id, step.kind, step.lifetime]), [
    ['Web/Null/Machine', 'null.machine', 'run'], ['Web/Null:Work', 'test.remote', 'none'], ['Web/Null/Artifact', 'null.artifact', 'none'],
  ]);
  t.strictSame(steps[0]!.spec, {
    connection: {
      kind: 'ssh', host: 'db.example.org', user: 'admin', password: { $secret: { from: 'env', name: 'DB_PASSWORD' } },
      agent: { $secret: { from: 'env', name: 'SSH_AUTH_SOCK' } }, timeout: 120_000,
      hostKey: { policy: 'fingerprint', fingerprints: [`SHA256:${'A'.repeat(43)}`] },
      bastion: { host: 'jump.example.org', user: 'me', privateKeyFile: '~/.ssh/id_ed25519' },
    },
  });
  t.strictSame(steps[1]!.spec, { connection: { $ref: 'Web/Null/Machine#connection' }, about: { user: 'admin', host: 'db.example.org', port: 22 } });
  t.strictSame(steps[2]!.needs, ['Web/Null:Work']);
});

t.test('without a machine only a provisioner that needs one is an error, at its own place', async (t) => {
  const fine = synth({}, Here);
  t.strictSame(fine.diagnostics, []);
  t.strictSame(fine.plans[0]!.steps.map((step) => [step.kind, step.lifetime]), [['null.nowhere', 'none'], ['test.here', 'none'], ['null.artifact', 'none']]);
  const { diagnostics } = synth({}, Remote);
  t.match(diagnostics, [{ code: 'NoCommunicator', severity: 'error', construct: 'Web/Work', message: 'Remote needs a machine, and Web/Null has none' }]);
});

t.test('this computer can be the machine', async (t) => {
  const { plans, diagnostics } = synth({ local: true }, Here);
  t.strictSame(diagnostics, []);
  t.strictSame(plans[0]!.steps[0]!.spec, { connection: { kind: 'local' } });
});

t.test('wrong props are all reported', async (t) => {
  const ssh = { host: 'a', user: 'b' };
  const codes = (props: object) => synth(props as NullSourceProps, Here).diagnostics.map(({ code }) => code);
  const messages = (props: object) => synth(props as NullSourceProps, Here).diagnostics.map(({ message, hint }) => `${message}: ${hint}`).join('\n');
  t.strictSame(codes({ ssh, local: true }), ['ConflictingProps']);
  t.match(messages({ sssh: ssh }), 'NullSource has no prop "sssh": did you mean "ssh"?');
  t.match(messages({ ssh: { ...ssh, hots: 'x' } }), 'no prop "hots": did you mean "host"?');
  t.match(messages({ ssh: { ...ssh, bastion: { host: 'x', usr: 'y' } } }), 'no prop "usr": did you mean "user"?');
  t.match(messages({ ssh: { host: 'a' } }), '"connection.user" is missing');
  t.match(messages({ ssh: { ...ssh, port: 70_000 } }), '"connection.port" is 70000');
  t.strictSame(codes({ ssh: { ...ssh, password: 'hunter2' } }), ['PlainSecret']);
  t.notMatch(messages({ ssh: { ...ssh, password: 'hunter2' } }), /hunter2/);
  t.strictSame(codes({ ssh: { ...ssh, agentForwarding: true } }), ['InvalidProp']);
  t.strictSame(codes({ ssh: { ...ssh, hostKey: 'SHA256:x' } }), ['InvalidProp']);
});

t.test('a host key that is none is refused where it is written', async (t) => {
  t.throws(() => HostKey.fingerprint('MD5:00:11'), { code: 'InvalidHostKey' });
  t.throws(() => HostKey.publicKey('-----BEGIN OPENSSH PRIVATE KEY-----'), { code: 'InvalidHostKey' });
  t.strictSame(HostKey.knownHosts().spec, { policy: 'knownHosts' });
});

function synth(props: NullSourceProps, provisioner: new (scope: Image, id: string, props: ProvisionerProps) => Provisioner) {
  const app = new App();
  const image = new Image(app, 'Web');
  new NullSource(image, 'Null', props);
  new provisioner(image, 'Work', {});
  const { plans, diagnostics } = synthesize({ apps: [app], diagnostics: [] });
  return { plans, diagnostics };
}
