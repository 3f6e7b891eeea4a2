import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { entryCommand } from '../../../lib/platforms/rootfs/engine/entry-command.js';
import { need } from '../../support/need.js';

t.test('the command for a kept tree gives a shell in it, with devices and processes, and leaves no mount', async (t) => {
  if (!(await need(t, 'busybox'))) return;
  const tree = t.testdir({ bin: {}, dev: {}, proc: {}, 'in-the-tree': '' });
  copyFileSync(execFileSync('/bin/sh', ['-c', 'command -v busybox']).toString().trim(), join(tree, 'bin/sh'));
  const input = 'echo $$; test -e /in-the-tree && echo tree; echo x > /dev/null && echo dev; test -e /proc/self/status && echo proc\n';
  const said = execFileSync('/bin/sh', ['-c', entryCommand(tree)], { input }).toString();
  t.equal(said, '1\ntree\ndev\nproc\n');
  t.notMatch(readFileSync('/proc/self/mountinfo', 'utf8'), tree);
});

t.test('a path with anything in it stays one word', async (t) => {
  t.ok(entryCommand("/tmp/it's; rm -rf ~", true).endsWith(" sh '/tmp/it'\\''s; rm -rf ~'"));
  t.match(entryCommand('/tmp/tree', false), /^unshare --map-root-user --map-auto --mount /);
});
