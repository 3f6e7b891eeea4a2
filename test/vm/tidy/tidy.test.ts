import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { tidyScript } from '../../../lib/vm/tidy/engine/tidy-handler.js';

const connection = { kind: 'ssh' };
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJpYZqpEwCzvOI2ZLHYgfs2cXPAhzIkMkFbZbfBN8g9U run-1';

t.test('only the key of the run goes, and a file that had nothing else', async (t) => {
  const home = t.testdir({ '.ssh': {} });
  const file = join(home, '.ssh/authorized_keys');
  const run = () => execFileSync('sh', ['-s', '--', home], { input: tidyScript({ connection, authorizedKey: key }) });
  writeFileSync(file, `ssh-ed25519 AAAAother me\n${key}\n# a note\n`);
  run();
  t.equal(readFileSync(file, 'utf8'), 'ssh-ed25519 AAAAother me\n# a note\n');
  run();
  t.equal(readFileSync(file, 'utf8'), 'ssh-ed25519 AAAAother me\n# a note\n', 'twice is once');
  writeFileSync(file, `${key}\n`);
  run();
  t.same(readdirSync(join(home, '.ssh')), []);
});

t.test('a file that was put in goes, and the one it took the place of comes back, whatever its name', async (t) => {
  const folder = join(t.testdir(), `it's $(here)`);
  mkdirSync(folder);
  for (const [name, text] of Object.entries({ 'a': 'new', 'a.bake-before': 'old', 'b': 'new' })) writeFileSync(join(folder, name), text);
  execFileSync('sh', ['-s', '--', '/nowhere'], { input: tidyScript({ connection, injected: [join(folder, 'a'), join(folder, 'b')] }) });
  t.same(readdirSync(folder), ['a']);
  t.equal(readFileSync(join(folder, 'a'), 'utf8'), 'old');
});

t.test('each machine made of the image gets an id of its own', async (t) => {
  t.match(tidyScript({ connection, forgetMachine: true }), /: > \/etc\/machine-id/);
  t.match(tidyScript({ connection, forgetMachine: true }), /ssh-keygen -A[\s\S]*rm -f \/etc\/ssh\/ssh_host_\*_key/, 'and host keys, if there is something that makes new ones');
  t.notMatch(tidyScript({ connection }), /machine-id|cloud-init/);
});
