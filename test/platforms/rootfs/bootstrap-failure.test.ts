import t from 'tap';
import { bootstrapFailure } from '../../../lib/platforms/rootfs/engine/linux/bootstrap-failure.js';
import { BootstrapProgress } from '../../../lib/platforms/rootfs/engine/linux/bootstrap-progress.js';

const spec = { suite: 'bookworm', packages: ['nginx'], mirrors: ['http://mirror.test/debian'], clampTime: 0 };

// Lines as apt 2.6 and mmdebstrap 1.3.5 print them.
const cases: readonly (readonly [name: string, lines: readonly string[], expected: object])[] = [
  ['a package that is not there', ['E: Unable to locate package nginx-lite', 'E: mmdebstrap failed to run'], { code: 'RootfsBootstrapFailed', message: /"nginx-lite"/, hint: /components/ }],
  ['a suite that is not there', ["E: The repository 'http://mirror.test/debian bookwurm Release' does not have a Release file.", 'E: apt-get update failed'], { code: 'RootfsBootstrapFailed', message: /mirror\.test/, hint: /suite/ }],
  ['a mirror that is not there', ["W: Failed to fetch http://mirror.test/debian/dists/bookworm/InRelease  Could not connect to mirror.test:80 (192.0.2.1). - connect (111: Connection refused)", 'E: Some index files failed to download.'], { code: 'MirrorUnreachable', transient: true, message: /mirror\.test/ }],
  ['a name that is not there', ["Err:1 http://mirror.test/debian bookworm InRelease", "  Temporary failure resolving 'mirror.test'"], { code: 'MirrorUnreachable' }],
  ['a key that is not there', ["W: GPG error: http://mirror.test/debian bookworm InRelease: The following signatures couldn't be verified because the public key is not available: NO_PUBKEY 0E98404D386FA1D9", "E: The repository 'http://mirror.test/debian bookworm InRelease' is not signed."], { code: 'RootfsBootstrapFailed', hint: /keyring/ }],
  ['a full disk', ['dpkg: error processing archive base-files: cannot copy extracted data: failed to write (No space left on device)'], { code: 'DiskFull' }],
  ['an architecture that does not run here', ['E: s390x can neither be executed natively nor via qemu user emulation with binfmt_misc'], { code: 'RootfsBootstrapFailed', hint: /qemu-user-static/ }],
  ['anything else', ['I: installing essential packages...', 'E: something unheard of', 'E: mmdebstrap failed to run'], { code: 'RootfsBootstrapFailed', message: /something unheard of/ }],
  ['nothing at all', [], { code: 'RootfsBootstrapFailed' }],
];

for (const [name, lines, expected] of cases) {
  t.test(`${name} is told in the user's words`, async (t) => {
    const error = bootstrapFailure(lines, spec);
    t.match(error, expected);
    t.ok(error.hint);
    t.same(error.output, lines);
  });
}

t.test('the log has every line, and the bar counts packages', async (t) => {
  const lines: string[] = [];
  const steps: object[] = [];
  const progress = new BootstrapProgress({ log: (line) => { lines.push(line); }, progress: (step) => { steps.push(step); } });
  for (const line of ['I: downloading packages with apt...', '0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.', 'Get:1 http://mirror.test/debian bookworm/main amd64 base-files amd64 12.4 [70.8 kB]', '', 'Setting up base-files (12.4) ...', 'Setting up dash (0.5) ...']) progress.line(line);
  t.equal(lines.length, 5);
  t.equal(lines[0], 'downloading packages with apt...');
  t.same(steps, [
    { label: 'downloaded', current: 1, unit: 'items', total: 2 },
    { label: 'installed', current: 1, unit: 'items', total: 2 },
    { label: 'installed', current: 2, unit: 'items', total: 2 },
  ]);
  for (let count = 0; count < 200; count++) progress.line(`line ${count}`);
  t.equal(progress.tail.length, 40, 'only the end is kept');
});
