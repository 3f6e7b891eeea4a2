import t from 'tap';
import { App } from '../../../lib/image/app.js';
import { Image } from '../../../lib/image/image.js';
import { NullSource } from '../../../lib/platforms/null/index.js';
import { BootstrapSource } from '../../../lib/platforms/rootfs/index.js';
import { type Check, Verify } from '../../../lib/post-processors/verify/verify.js';
import { synthesize } from '../../../lib/synth/synthesize.js';

function synth(checks: readonly Check[], platform: 'rootfs' | 'null' = 'rootfs') {
  const app = new App();
  const image = new Image(app, 'Web');
  if (platform === 'rootfs') new BootstrapSource(image, 'Source');
  else new NullSource(image, 'Source');
  new Verify(image, 'Try', { checks });
  const { plans, diagnostics } = synthesize({ apps: [app], diagnostics: [] });
  return { step: plans[0]?.steps.find(({ kind }) => kind === 'verify.checks'), steps: plans[0]?.steps.map(({ id }) => id) ?? [], diagnostics };
}

t.test('the machine of the trial comes after the artifact, and the checks after the machine', (t) => {
  const { step, steps, diagnostics } = synth([{ command: 'true' }]);
  t.strictSame(diagnostics, []);
  t.strictSame(steps.slice(-4), ['Web/Source/Tarball', 'Web/Source:Try/Tree', 'Web/Source:Try/Machine', 'Web/Source:Try']);
  t.match(step?.spec, { connection: { $ref: 'Web/Source:Try/Machine#connection' }, checks: [{ type: 'command', command: 'true', exitCodes: [0] }] });
  t.end();
});

t.test('regular expressions become data', (t) => {
  const { step } = synth([{ command: 'true', stdout: /ab+c$/imu, stderr: 'plain', exitCode: 3 }, { http: { port: 80, path: '/x', status: 204, body: /b/g } }]);
  t.match(step?.spec, { checks: [{ stdout: { pattern: 'ab+c$', flags: 'imu' }, stderr: { contains: 'plain' }, exitCodes: [3] }, { port: 80, path: '/x', status: 204, body: { pattern: 'b', flags: '' }, within: 60_000 }] });
  t.end();
});

t.test('what is no check is an error with a hint', (t) => {
  const faults: readonly [readonly unknown[], string][] = [
    [[], 'InvalidProp'], [[{}], 'InvalidProp'], [['true'], 'InvalidProp'], [[{ command: 'true', stdour: 'x' }], 'UnknownProp'], [[{ http: { port: 80, pth: '/' } }], 'UnknownProp'],
    [[{ port: 0 }], 'InvalidProp'], [[{ http: { port: 80, path: 'x' } }], 'InvalidProp'], [[{ command: 'true', exitCode: 256 }], 'InvalidProp'],
  ];
  for (const [checks, code] of faults) {
    const { diagnostics } = synth(checks as readonly Check[]);
    t.strictSame(diagnostics.map((one) => one.code), [code], JSON.stringify(checks));
    t.ok(diagnostics.every(({ hint }) => hint !== undefined));
  }
  t.end();
});

t.test('a platform that starts nothing says so', (t) => {
  const { diagnostics } = synth([{ command: 'true' }], 'null');
  t.match(diagnostics, [{ code: 'NoTrial', hint: /except: \['Source'\]/ }]);
  t.end();
});
