import { Construct } from 'constructs';
import t from 'tap';
import { Secret } from '../../../lib/core/secret.js';
import { annotationsOf } from '../../../lib/image/annotations.js';
import type { BuildPlanner, CompiledStep, PlannedStep } from '../../../lib/image/compile.js';
import { Ref, str } from '../../../lib/image/ref.js';
import { addDownload } from '../../../lib/vm/download/add-download.js';
import { Download } from '../../../lib/vm/download/download.js';
import { vmDownload } from '../../../lib/vm/download/steps.js';

/** Adds the download, and gives what came of it. */
function add(download: Download) {
  const construct = new Construct(undefined as never, '');
  const steps: { readonly name: string; readonly step: CompiledStep }[] = [];
  const planned: PlannedStep = { id: 'x', ref: <T>(output: string) => new Ref<T>({ step: 'x', output }) };
  const build: Pick<BuildPlanner, 'step'> = { step: (name, step) => { steps.push({ name, step: step as CompiledStep }); return planned; } };
  t.equal(addDownload(construct, build as BuildPlanner, 'Iso', download), planned);
  return { steps, notes: annotationsOf(construct) };
}

t.test('a download becomes one step, named after the file', async (t) => {
  const { steps, notes } = add(Download.fromUrl(['https://example.org/debian.iso', 'debian.iso'], { checksum: 'file:https://example.org/SHA256SUMS' }));
  t.same(notes, []);
  t.match(steps, [{ name: 'Iso', step: { title: 'download debian.iso', spec: { urls: ['https://example.org/debian.iso', 'debian.iso'], checksum: 'file:https://example.org/SHA256SUMS' } } }]);
  t.ok(vmDownload.spec.safeParse(steps[0]?.step.spec).success);
});

t.test('late values are left for later', async (t) => {
  const { steps, notes } = add(Download.fromUrl(str`https://me:${Secret.env('PASSWORD')}@example.org/a.iso`, { checksum: Secret.env('SUM') }));
  t.same(notes, []);
  t.equal(steps[0]?.step.title, 'download a file');
});

t.test('what is wrong is found before anything is built', async (t) => {
  t.match(add(Download.fromUrl('ftp://example.org/a.iso', { checksum: 'md6:1' })).notes, [{ code: 'InvalidUrl' }, { code: 'InvalidChecksum' }]);
  const { notes } = add(Download.fromUrl('https://me:hidden@example.org/a.iso', { checksum: 'none' }));
  t.match(notes, [{ code: 'SecretInPlan', message: 'the URL of https://example.org/a.iso has a password in it, and a plan can be read by others' }]);
});

t.test('a download is recognised', async (t) => {
  t.ok(Download.isDownload(Download.fromUrl('a', { checksum: 'none' })));
  t.notOk(Download.isDownload('a'));
  t.notOk(vmDownload.spec.safeParse({ urls: [], checksum: 'none' }).success);
  t.notOk(vmDownload.spec.safeParse({ urls: ['a'] }).success);
});
