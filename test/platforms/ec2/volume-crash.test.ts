// Builds of images of snapshots, and of volumes, are killed at every boundary on an EC2 that is slow and forgets what was just made: recovery leaves nothing.
import t from 'tap';
import type { Plan, PlanStep } from '../../../lib/plan/plan.js';
import { amiHandler } from '../../../lib/platforms/ec2/engine/ami-handler.js';
import { instanceHandler } from '../../../lib/platforms/ec2/engine/instance-handler.js';
import { registeredAmiHandler } from '../../../lib/platforms/ec2/engine/registered-ami-handler.js';
import { snapshotHandler } from '../../../lib/platforms/ec2/engine/snapshot-handler.js';
import { stopHandler } from '../../../lib/platforms/ec2/engine/stop-handler.js';
import { swappedRootHandler } from '../../../lib/platforms/ec2/engine/swapped-root-handler.js';
import { volumeHandler } from '../../../lib/platforms/ec2/engine/volume-handler.js';
import { volumeSetHandler } from '../../../lib/platforms/ec2/engine/volume-set-handler.js';
import { ec2Ami, ec2Instance, ec2Stop } from '../../../lib/platforms/ec2/steps.js';
import { ec2ImageSnapshot, ec2RegisteredAmi, ec2Snapshot, ec2SwappedRoot, ec2Volume, ec2VolumeSet } from '../../../lib/platforms/ec2/volume-steps.js';
import { CrashWorld } from './crash-world.js';

const build = 'Web/One';
const step = (id: string, kind: string, lifetime: PlanStep['lifetime'], spec: PlanStep['spec'], needs: readonly string[]): PlanStep => ({ id: `${build}/${id}`, kind, title: id, role: 'source', spec: { access: {}, ...spec }, needs: needs.map((need) => `${build}/${need}`), lifetime, build });
const ref = (id: string, output = 'id') => ({ $ref: `${build}/${id}#${output}` });
const instanceId = ref('Machine');
const machine = [
  step('Machine', 'ec2.instance', 'run', { imageId: 'ami-00000001', types: ['t3.small'], blockDevices: [{ deviceName: '/dev/xvda' }, { deviceName: '/dev/sdf' }], address: 'public-ip', connection: { kind: 'ssh', host: '0.0.0.0', user: 'admin' } }, []),
  step('Stop', 'ec2.stop', 'none', { instanceId }, ['Machine']),
];
const planOf = (last: string, steps: readonly PlanStep[]): Plan => ({ schema: 1, image: 'Web', tags: {}, builds: [{ id: build, name: 'One', platform: 'ec2', artifact: ref(last, 'artifact') }], steps: [...machine, ...steps] });
const snapshot = step('Snapshot', 'ec2.snapshot', 'artifact', { instanceId, deviceName: '/dev/sdf' }, ['Machine', 'Stop']);

const plans = {
  'an image of snapshots': planOf('Ami', [{ ...snapshot, kind: 'ec2.imageSnapshot' }, step('Ami', 'ec2.registeredAmi', 'artifact', { namePrefix: 'web', replace: false, architecture: 'x86_64', rootDeviceName: '/dev/xvda', devices: [{ deviceName: '/dev/xvda', snapshotId: ref('Snapshot') }], ena: true, sriov: false, snapshots: [ref('Snapshot')] }, ['Snapshot'])]),
  'an image of the instance': planOf('Ami', [
    step('Swap', 'ec2.swappedRoot', 'run', { instanceId, sourceDeviceName: '/dev/sdf', rootDeviceName: '/dev/xvda', omit: [] }, ['Machine', 'Stop']),
    step('Ami', 'ec2.ami', 'artifact', { instanceId, namePrefix: 'web', noReboot: false, replace: false }, ['Machine', 'Swap']),
  ]),
  'volumes': planOf('Set', [
    snapshot, step('Volume', 'ec2.volume', 'artifact', { instanceId, deviceName: '/dev/sdf' }, ['Machine', 'Stop']),
    step('Set', 'ec2.volumeSet', 'artifact', { volumes: [{ deviceName: '/dev/sdf', id: ref('Volume'), region: ref('Volume', 'region') }], snapshots: [{ deviceName: '/dev/sdf', id: ref('Snapshot'), region: ref('Snapshot', 'region') }], sourceAmi: 'ami-00000001', sourceAmiName: 'base-1' }, ['Volume', 'Snapshot']),
  ]),
};

class World extends CrashWorld {
  override steps({ regions, volumes }: CrashWorld['regions']) {
    return [
      { kind: ec2Instance, load: async () => instanceHandler(regions) as never }, { kind: ec2Stop, load: async () => stopHandler(regions) as never }, { kind: ec2Ami, load: async () => amiHandler(regions) as never },
      { kind: ec2ImageSnapshot, load: async () => snapshotHandler(volumes) as never }, { kind: ec2Snapshot, load: async () => snapshotHandler(volumes) as never }, { kind: ec2Volume, load: async () => volumeHandler(volumes) as never }, { kind: ec2SwappedRoot, load: async () => swappedRootHandler(volumes) as never },
      { kind: ec2RegisteredAmi, load: async () => registeredAmiHandler(regions, () => this.storage) as never }, { kind: ec2VolumeSet, load: async () => volumeSetHandler(volumes) as never },
    ];
  }
}

for (const [name, plan] of Object.entries(plans)) {
  t.test(`whatever kills the process, recovery leaves nothing: ${name}`, { timeout: 120_000 }, async (t) => {
    const whole = new World();
    t.match(await whole.run(plan), { status: 'succeeded', leftovers: [] });
    t.same(await whole.strangers(), []);
    t.ok(whole.things.length >= 2, 'what was built is there');
    const boundaries = whole.crash.count;
    t.ok(boundaries > 20, `${boundaries} boundaries`);
    for (let crashAt = 0; crashAt < boundaries; crashAt++) {
      for (const isLossy of [false, true]) {
        const world = new World();
        await world.run(plan, crashAt);
        await world.recover(isLossy);
        const strange = await world.strangers();
        if (strange.length > 0) t.fail(`killed at ${crashAt}, lossy ${isLossy}: ${strange.join(', ')}`);
      }
    }
  });

  t.test(`without a journal the stamps alone tell what goes: ${name}`, { timeout: 120_000 }, async (t) => {
    const whole = new World();
    await whole.run(plan);
    const boundaries = whole.crash.count;
    const found = new Set<string>();
    for (let crashAt = 0; crashAt < boundaries; crashAt++) {
      const world = new World();
      await world.run(plan, crashAt);
      for (const kind of await world.scan()) found.add(kind);
      await world.clock.sleep(60_000);
      for (const kind of await world.scan()) found.add(kind);
      const temporary = await countTemporary(world);
      if (temporary > 0) t.fail(`killed at ${crashAt}: ${temporary}`);
    }
    t.ok(found.has(name === 'an image of the instance' ? 'volume' : 'snapshot'), [...found].join(', '));
  });

  t.test(`a call that fails, before it does something or after, leaves nothing: ${name}`, { timeout: 120_000 }, async (t) => {
    for (const failing of ['RunInstances', 'DescribeVolumes', 'CreateSnapshot', 'DescribeSnapshots', 'CreateTags', 'ModifyInstanceAttribute', 'RegisterImage', 'DetachVolume', 'AttachVolume', 'DeleteVolume', 'CreateImage']) {
      for (const at of ['before', 'after'] as const) {
        let isDone = false;
        const world = new World({ boundary: async (call, when) => { if (call === failing && when === at && !isDone) { isDone = true; throw new Error(`${call} fails ${when}`); } } });
        const outcome = await world.run(plan);
        t.same(await world.strangers(), [], `${failing} ${at}`);
        t.notMatch(outcome, { leftovers: [{}] });
      }
    }
  });
}

async function countTemporary({ ec2, storage }: World): Promise<number> {
  const tags = { 'bake:state': 'temporary' };
  const [instances, images, volumes, snapshots] = [await ec2.instances({ tags }), await ec2.images({ filters: { 'tag:bake:state': ['temporary'] } }), await storage.volumes({ tags }), await storage.snapshots({ tags })];
  return instances.filter(({ state }) => state !== 'terminated').length + images.length + volumes.length + snapshots.length;
}

t.test('a snapshot that fails is told, and leaves nothing', async (t) => {
  const world = new World({ snapshotFailure: 'Client.InvalidKMSKey' });
  t.match(await world.run(plans['an image of snapshots']), { status: 'failed', builds: [{ error: { code: 'SnapshotFailed', message: /InvalidKMSKey/, hint: /key/ } }] });
  t.same(await world.strangers(), []);
});
