import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { sha256 } from '../../../lib/core/json.js';
import { linuxRootfs as port } from '../../../lib/platforms/rootfs/engine/linux/linux-rootfs.js';
import { tarballHandler } from '../../../lib/platforms/rootfs/engine/tarball-handler.js';
import { treeHandler } from '../../../lib/platforms/rootfs/engine/tree-handler.js';
import { need } from '../../support/need.js';
import { clampTime, projectFor, sealedTree } from './sealed-tree.js';
import { stepContext } from './step-context.js';

const run = promisify(execFile);

t.test('two builds from a mirror, with packages and services, give the same bytes', async (t) => {
  if (!(await need(t, 'namespaces')) || !(await need(t, 'mmdebstrap'))) return;
  const project = await projectFor(t);
  const digests: string[] = [];
  for (const name of ['one', 'two']) {
    const tree = await sealedTree(t, project, name, { suite: 'bookworm', variant: 'minbase' }, [
      'apt-get update && apt-get install -y --no-install-recommends nginx-light dbus',
      'useradd --create-home web && date > /tmp/now && date > /var/log/mine.log && dbus-uuidgen > /etc/machine-id && nginx',
      'echo served > /var/www/html/index.html && apt-get install -y libcap2-bin && setcap cap_net_bind_service=ep /usr/sbin/nginx',
    ]);
    const { path } = await tarballHandler(port).acquire({ tree, path: `${name}.tar`, clampTime }, stepContext({ project, name: `${name} tarball` }));
    digests.push(sha256(await readFile(path)));
  }
  t.equal(digests[0], digests[1]);

  const { stdout } = await run('tar', ['--numeric-owner', '--full-time', '-tvf', join(project, 'one.tar')], { maxBuffer: 64 * 1024 * 1024 });
  const lines = stdout.trimEnd().split('\n');
  const newer = lines.filter((line) => Date.parse(`${/\d{4}-\d\d-\d\d/.exec(line)?.[0]}T00:00:00Z`) / 1000 > clampTime);
  t.same(newer, []);
  for (const gone of [/ \.\/dev\/./, / \.\/proc\/./, / \.\/sys\/./, / \.\/tmp\/./, / \.\/usr\/sbin\/policy-rc\.d/, / \.\/etc\/(resolv\.conf|hostname)/, /\.deb$/, /aux-cache/, /-old$/, /apt\/lists\/./]) {
    t.same(lines.filter((line) => gone.test(line)), [], String(gone));
  }
  for (const there of [/ 0 .* \.\/etc\/machine-id$/, / 0 .* \.\/var\/log\/mine\.log$/, / \.\/var\/www\/html\/index\.html$/, / \.\/home\/web\/$/]) {
    t.equal(lines.filter((line) => there.test(line)).length, 1, String(there));
  }
  const { stdout: attributes } = await run('sh', ['-c', 'tar --xattrs --xattrs-include="*" -tvvf "$1" ./usr/sbin/nginx', 'sh', join(project, 'one.tar')]);
  t.match(attributes, /security\.capability/, 'capabilities of files are kept');
});

t.test('a mirror that cannot give what is asked for says why', async (t) => {
  if (!(await need(t, 'namespaces')) || !(await need(t, 'mmdebstrap'))) return;
  const project = await projectFor(t);
  const cases = [
    [{ suite: 'bookwurm' }, { code: 'RootfsBootstrapFailed', message: /bookwurm/ }],
    [{ suite: 'bookworm', packages: ['nginx-lite'] }, { code: 'RootfsBootstrapFailed', message: /"nginx-lite"/ }],
    [{ suite: 'bookworm', mirrors: ['http://127.0.0.1:9/debian'] }, { code: 'MirrorUnreachable', message: /127\.0\.0\.1:9/, transient: true }],
    [{ suite: 'bookworm', mirrors: ['http://no-such-host.invalid/debian'] }, { code: 'MirrorUnreachable' }],
  ] as const;
  for (const [props, expected] of cases) {
    const ctx = stepContext({ project, name: JSON.stringify(props) });
    const spec = { ...props, packages: [...('packages' in props ? props.packages : [])], mirrors: 'mirrors' in props ? [...props.mirrors] : undefined, variant: 'minbase' as const, clampTime };
    const error: unknown = await treeHandler(port).acquire(spec, ctx).then(() => undefined, (thrown: unknown) => thrown);
    t.match(error, expected, JSON.stringify(props));
    t.ok((error as { hint?: string }).hint);
    await treeHandler(port).release((await treeHandler(port).find(ctx.token, spec, ctx))!, ctx);
  }
});
