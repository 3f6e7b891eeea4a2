// The import of a disk is killed at every boundary on an EC2 that is slow and forgets what was just made: recovery leaves nothing.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { BakeError } from '../../../lib/core/bake-error.js';
import type { Exec } from '../../../lib/core/ports.js';
import type { Plan, PlanStep } from '../../../lib/plan/plan.js';
import { diskSnapshotHandler } from '../../../lib/platforms/ec2/engine/disk-snapshot-handler.js';
import { FakeUploads } from '../../../lib/platforms/ec2/engine/fake-uploads.js';
import { importedSnapshotHandler } from '../../../lib/platforms/ec2/engine/imported-snapshot-handler.js';
import { registeredAmiHandler } from '../../../lib/platforms/ec2/engine/registered-ami-handler.js';
import { blockSize } from '../../../lib/platforms/ec2/engine/upload-port.js';
import { uploadedDiskHandler } from '../../../lib/platforms/ec2/engine/uploaded-disk-handler.js';
import { ec2DiskSnapshot, ec2ImportedSnapshot, ec2UploadedDisk } from '../../../lib/platforms/ec2/import-steps.js';
import { ec2RegisteredAmi } from '../../../lib/platforms/ec2/volume-steps.js';
import { CrashWorld, type CrashWorldOptions } from './crash-world.js';
import { FakeBucket } from './fake-bucket.js';

const build = 'Web/One';
const ref = (id: string, output = 'id') => ({ $ref: `${build}/${id}#${output}` });

function plansOf(t: Pick<Test, 'testdir'>): Readonly<Record<string, Plan>> {
  const path = join(t.testdir({}), 'disk.raw');
  writeFileSync(path, Buffer.concat([Buffer.alloc(blockSize, 1), Buffer.alloc(blockSize), Buffer.alloc(blockSize, 2)]));
  const step = (id: string, kind: string, spec: PlanStep['spec'], needs: readonly string[]): PlanStep => ({ id: `${build}/${id}`, kind, title: id, role: 'post-processor', spec: { access: {}, ...spec }, needs: needs.map((need) => `${build}/${need}`), lifetime: 'artifact', build });
  const artifact = { type: 'files', id: path, title: path, files: [{ path, size: 1 }], data: {} };
  const ami = step('Ami', 'ec2.registeredAmi', { namePrefix: 'web', replace: false, architecture: ref('Snapshot', 'architecture'), bootMode: ref('Snapshot', 'bootMode'), rootDeviceName: '/dev/xvda', devices: [{ deviceName: '/dev/xvda', snapshotId: ref('Snapshot') }], ena: true, sriov: false, snapshots: [ref('Snapshot')] }, ['Snapshot']);
  const planOf = (...steps: readonly PlanStep[]): Plan => ({ schema: 1, image: 'Web', tags: {}, builds: [{ id: build, name: 'One', platform: 'ec2', artifact: ref('Ami', 'artifact') }], steps: [...steps, ami] });
  return {
    'block by block': planOf(step('Snapshot', 'ec2.diskSnapshot', { artifact }, [])),
    'by way of a bucket': planOf(
      { ...step('Upload', 'ec2.uploadedDisk', { artifact, bucket: 'imports', prefix: 'bake/', sent: 'raw' }, []), lifetime: 'run' },
      step('Snapshot', 'ec2.importedSnapshot', Object.fromEntries(['bucket', 'key', 'format', 'architecture', 'bootMode'].map((name) => [name, ref('Upload', name)])), ['Upload']),
    ),
  };
}

/** As much of qemu-img as these disks need. */
const exec: Exec = {
  async run({ args: [command] = [], onStdout }) {
    if (command !== 'info') throw new BakeError({ code: 'CommandNotFound', message: 'no qemu-img' });
    onStdout?.(`{ "virtual-size": ${3 * blockSize} }`);
    return { code: 0, signal: null, stdout: '', stderr: '' };
  },
};

class World extends CrashWorld {
  readonly #uploads: FakeUploads;
  readonly #bucket: FakeBucket;
  override readonly more = { exec };

  constructor(options: CrashWorldOptions = {}) {
    super(options);
    this.#uploads = new FakeUploads(this.storage, this.slow);
    this.#bucket = new FakeBucket({ ...this.slow, volumes: this.storage });
  }

  override get things() {
    return [...super.things, ...this.#bucket.things];
  }

  override steps({ regions, volumes }: CrashWorld['regions']) {
    return [
      { kind: ec2DiskSnapshot, load: async () => diskSnapshotHandler(volumes, () => this.#uploads) as never },
      { kind: ec2UploadedDisk, load: async () => uploadedDiskHandler(() => this.#bucket) as never }, { kind: ec2ImportedSnapshot, load: async () => importedSnapshotHandler(volumes, () => this.#bucket) as never },
      { kind: ec2RegisteredAmi, load: async () => registeredAmiHandler(regions, () => this.storage) as never },
    ];
  }
}

for (const [name, plan] of Object.entries(plansOf(t))) {
  t.test(`whatever kills the process, recovery leaves nothing: ${name}`, { timeout: 120_000 }, async (t) => {
    const whole = new World();
    t.match(await whole.run(plan), { status: 'succeeded', leftovers: [] });
    t.same(await whole.strangers(), []);
    t.equal(whole.things.length, 2, 'what was built is there');
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

  t.test(`a call that fails, before it does something or after, leaves nothing: ${name}`, { timeout: 120_000 }, async (t) => {
    for (const failing of ['StartSnapshot', 'PutSnapshotBlock', 'CompleteSnapshot', 'DescribeSnapshots', 'RegisterImage', 'CreateMultipartUpload', 'CompleteMultipartUpload', 'ImportSnapshot', 'DescribeImportSnapshotTasks', 'CreateTags']) {
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

t.test('without a journal the stamps alone tell what goes', { timeout: 120_000 }, async (t) => {
  const plan = plansOf(t)['block by block']!;
  const whole = new World();
  await whole.run(plan);
  for (let crashAt = 0; crashAt < whole.crash.count; crashAt++) {
    const world = new World();
    await world.run(plan, crashAt);
    await world.scan();
    await world.clock.sleep(60_000);
    await world.scan();
    if (world.things.length > 0) t.fail(`killed at ${crashAt}: ${world.things.join(', ')}`);
  }
});
