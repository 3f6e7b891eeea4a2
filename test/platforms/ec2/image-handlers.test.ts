import t, { type Test } from 'tap';
import { BakeError } from '../../../lib/core/bake-error.js';
import { amiCopyHandler } from '../../../lib/platforms/ec2/engine/ami-copy-handler.js';
import type { Ec2Port, ImageFacts } from '../../../lib/platforms/ec2/engine/ec2-port.js';
import { fastLaunchHandler } from '../../../lib/platforms/ec2/engine/fast-launch-handler.js';
import { imageOfParameter } from '../../../lib/platforms/ec2/engine/image-of-parameter.js';
import type { FastLaunchFacts, ImagePort } from '../../../lib/platforms/ec2/engine/image-port.js';
import { imageSettingsHandler } from '../../../lib/platforms/ec2/engine/image-settings-handler.js';
import { regionsOf } from '../../../lib/platforms/ec2/engine/region.js';
import { ssmParameterHandler } from '../../../lib/platforms/ec2/engine/ssm-parameter-handler.js';
import { fakeClock } from '../../engine/fake-world.js';
import { stepContext } from '../../support/step-context.js';
import { FakeParameters } from './fake-parameters.js';
import { parameterContract } from './parameter-contract.js';

const access = { region: 'eu-west-1' };
const [old, made, other] = ['ami-11111111', 'ami-22222222', 'ami-33333333'];
const image = 'aws:ec2:image';
const context = (test: Test) => stepContext(test, { clock: fakeClock() });

t.test('the fake keeps parameters as the contract says', (t) => parameterContract(t, new FakeParameters(), '/contract'));

t.test('a parameter gets its old value back, with the data type that it had', async (t) => {
  const parameters = new FakeParameters({ lateness: 3 });
  await parameters.put('/web', { value: 'none yet', dataType: 'text' });
  const handler = ssmParameterHandler(() => parameters);
  const ctx = context(t);
  const handle = await handler.acquire({ access, name: '/web', imageId: made }, ctx);
  t.match(await parameters.get('/web'), { value: made, dataType: image }, 'it is waited until the value is there');
  await handler.release(handle, ctx);
  t.match(await parameters.get('/web'), { value: 'none yet', dataType: 'text' });
  await handler.release(handle, ctx);
  t.match(await parameters.get('/web'), { value: 'none yet', version: 3 }, 'once is enough');
});

t.test('a parameter that was not there goes', async (t) => {
  const parameters = new FakeParameters();
  const handler = ssmParameterHandler(() => parameters);
  const ctx = context(t);
  await handler.release(await handler.acquire({ access, name: '/web', imageId: made }, ctx), ctx);
  t.equal(await parameters.get('/web'), undefined);
  await handler.release({ name: '/web', imageId: made, access }, ctx);
});

t.test('a value that somebody else has written since stays', async (t) => {
  const parameters = new FakeParameters();
  const handler = ssmParameterHandler(() => parameters);
  const ctx = context(t);
  const handle = await handler.acquire({ access, name: '/web', imageId: made }, ctx);
  await parameters.put('/web', { value: other, dataType: 'text' });
  await handler.release(handle, ctx);
  t.match(await parameters.get('/web'), { value: other });
});

t.test('what a dead run has written is known by the id of its image', async (t) => {
  const parameters = new FakeParameters();
  await parameters.put('/web', { value: old, dataType: 'text' });
  const handler = ssmParameterHandler(() => parameters);
  const ctx = context(t);
  t.equal(await handler.find(ctx.token, { access, name: '/web', imageId: made }, ctx), undefined);
  await parameters.put('/web', { value: made, dataType: 'text' });
  const found = await handler.find(ctx.token, { access, name: '/web', imageId: made }, ctx);
  await handler.release(found!, ctx);
  t.match(await parameters.get('/web'), { value: old });
});

t.test('a value that Systems Manager forgets is a failure', async (t) => {
  const parameters = new FakeParameters({ isImage: () => false });
  await t.rejects(ssmParameterHandler(() => parameters).acquire({ access, name: '/web', imageId: made }, context(t)), { code: 'SsmParameterRefused', hint: /ec2:DescribeImages/ });
});

t.test('a parameter names an image as its value or in JSON, or that is said', async (t) => {
  const parameters = new FakeParameters();
  const ctx = context(t);
  const named = async (value: string) => { await parameters.put('/base', { value, dataType: 'text' }); return imageOfParameter('/base', parameters, ctx); };
  t.equal(await named(made), made);
  t.equal(await named(`{"schema_version":"1","image_id":"${other}","os":"linux"}`), other);
  await t.rejects(named('web'), { code: 'SsmParameterNoImage', message: /its value is "web"/ });
  await t.rejects(imageOfParameter('/none', parameters, ctx), { code: 'NoSsmParameter' });
});

/** Remembers what it is asked for, and answers nothing. */
function recordingImages(answers: Partial<ImagePort> = {}): { readonly port: ImagePort; readonly asked: unknown[][] } {
  const asked: unknown[][] = [];
  const port = new Proxy(answers, { get: (_, verb: keyof ImagePort) => (...args: unknown[]) => { asked.push([verb, ...args.slice(0, -1)]); return (answers[verb] as ((...all: unknown[]) => unknown) | undefined)?.(...args) ?? Promise.resolve(); } }) as ImagePort;
  return { port, asked };
}

t.test('of a new image that nobody else may use, nothing is asked', async (t) => {
  const { port, asked } = recordingImages();
  await imageSettingsHandler(() => port).run({ access, imageId: made, snapshots: ['snap-1'], token: 'run-1-0123456789' }, context(t));
  t.strictSame(asked, []);
});

t.test('settings of an image that an earlier run has made are taken back before the new ones', async (t) => {
  const { port, asked } = recordingImages();
  const clock = fakeClock();
  await imageSettingsHandler(() => port).run({ access, imageId: made, snapshots: ['snap-1', 'snap-2'], token: 'run-0-0123456789', snapshot: { users: ['123456789012'] }, imdsSupport: 'v2.0' }, stepContext(t, { clock }));
  t.strictSame(asked, [
    ['makePrivate', made, ['snap-1', 'snap-2']], ['undeprecate', made], ['shareSnapshot', 'snap-1', { users: ['123456789012'] }], ['shareSnapshot', 'snap-2', { users: ['123456789012'] }],
    ['requireTokens', made],
  ]);
});

t.test('a time until deprecation begins when the image is there, and one that is over is said before the build', async (t) => {
  const { port, asked } = recordingImages();
  const handler = imageSettingsHandler(() => port);
  const clock = fakeClock();
  await clock.sleep(Date.parse('2027-01-01T00:00:00Z'));
  const ctx = stepContext(t, { clock });
  await handler.run({ access, imageId: made, snapshots: [], token: 'run-1-0123456789', deprecateAt: 86_400_000 }, ctx);
  t.strictSame(asked, [['deprecate', made, new Date('2027-01-02T00:00:00Z')]]);
  await t.rejects(handler.checkKnown!({ deprecateAt: '2026-12-31T00:00:00.000Z' }, ctx), { code: 'DeprecatedBefore' });
  await handler.checkKnown!({ deprecateAt: '2027-12-31T00:00:00.000Z' }, ctx);
});

t.test('fast launches are waited for, and one that cannot be is said', async (t) => {
  const states: FastLaunchFacts['state'][] = ['enabling', 'enabling', 'enabled'];
  const { port, asked } = recordingImages({ fastLaunches: async () => [{ id: made, state: states.shift() ?? 'failed', reason: 'no Sysprep' }] });
  const handler = fastLaunchHandler(() => port);
  const ctx = context(t);
  t.match(await handler.acquire({ access, imageId: made, targetResourceCount: 2 }, ctx), { imageId: made });
  t.strictSame(asked[0], ['enableFastLaunch', made, { targetResourceCount: 2 }]);
  await t.rejects(handler.acquire({ access, imageId: made }, ctx), { code: 'FastLaunchFailed', message: /no Sysprep/ });
  t.match(await handler.find(ctx.token, { access, imageId: made }, ctx), { imageId: made }, 'one that failed is there, and is taken off');
});

t.test('before anything is made, a copy looks at its region and name; what it made itself in another run is no hindrance', async (t) => {
  let answer: () => Promise<readonly ImageFacts[]> = async () => [];
  const port = (region: string) => ({ region: async () => region, images: () => answer() }) as unknown as Ec2Port;
  const ports = new Map(['eu-west-1', 'us-east-1'].map((region) => [region, port(region)]));
  const handler = amiCopyHandler(regionsOf(({ region }) => ports.get(region ?? 'eu-west-1')!), () => recordingImages().port);
  const ctx = context(t);
  const check = (elsewhere = 'us-east-1') => handler.checkKnown!({ access: { region: elsewhere }, from: {}, name: 'web', namePrefix: 'Web', replace: false }, ctx);
  const namesake = (token: string): ImageFacts => ({ id: made, name: 'web', state: 'available', created: '2026-01-01', rootDevice: '', architecture: 'x86_64', snapshots: [], tags: { 'bake:token': token } });
  await check();
  await t.rejects(check('eu-west-1'), { code: 'CopyToOwnRegion', message: /eu-west-1/ }, 'also where only the environment says which region is meant');
  answer = async () => [namesake('run-0-0123456789')];
  await check();
  answer = async () => [namesake('run-0-9876543210')];
  await t.rejects(check(), { code: 'AmiNameTaken', message: /already in us-east-1: ami-22222222/ });
  answer = () => Promise.reject(new BakeError({ code: 'Ec2CredentialsRefused', message: 'AWS was not able to validate the provided access credentials' }));
  await t.rejects(check(), { code: 'RegionNotUsable', message: /the region us-east-1 cannot be used/, hint: /enabled for this account/ });
});
