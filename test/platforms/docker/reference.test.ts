import t from 'tap';
import { isBase, isRepository, isTag, isTaggable, parseReference, withTag } from '../../../lib/platforms/docker/reference.js';

t.test('an image name is taken apart as the daemon does it', async (t) => {
  const hex = 'a'.repeat(64);
  t.strictSame(parseReference('debian'), { repository: 'debian' });
  t.strictSame(parseReference('debian:12'), { repository: 'debian', tag: '12' });
  t.strictSame(parseReference('team/web:1.0'), { repository: 'team/web', tag: '1.0' });
  t.strictSame(parseReference('localhost/web'), { registry: 'localhost', repository: 'localhost/web' });
  t.strictSame(parseReference('registry.example:5000/a/b__c/d-e:x_1'), { registry: 'registry.example:5000', repository: 'registry.example:5000/a/b__c/d-e', tag: 'x_1' });
  t.strictSame(parseReference(`127.0.0.1:5000/web:1@sha256:${hex}`), { registry: '127.0.0.1:5000', repository: '127.0.0.1:5000/web', tag: '1', digest: `sha256:${hex}` });
  t.equal(withTag('web'), 'web:latest');
  t.equal(withTag('localhost:5000/web'), 'localhost:5000/web:latest');
});

t.test('what could be a path, a command or an option is no image name', async (t) => {
  for (const name of ['../x', 'a;rm -rf ~', '', ' ', '-x', 'Web', 'web:', 'web:a b', 'web@sha256:12', '/web', 'web/', 'a//b', 'a..b', 'web:$(x)', 'web\nx', 'http://x/y', `${'a'.repeat(256)}`, 'web:-x', 'web?x=1', 'web#x', 'a%2fb', 'web/../x']) {
    t.notOk(isBase(name), JSON.stringify(name));
    t.notOk(isTaggable(name), JSON.stringify(name));
  }
  t.throws(() => parseReference('../x'), { code: 'InvalidDockerReference', hint: /lower-case/ });
});

t.test('a base may be an id, a name for an image may not have a digest, a repository no tag', async (t) => {
  const id = `sha256:${'0'.repeat(64)}`;
  t.ok(isBase(id));
  t.ok(isBase(`web@${id}`));
  t.notOk(isTaggable(id));
  t.notOk(isTaggable(`web@${id}`));
  t.ok(isRepository('registry.example:5000/web'));
  t.notOk(isRepository('web:1'));
  t.ok(isTag('1.0_a-b'));
  for (const tag of ['.x', '-x', 'a b', 'a:b', 'a/b', '', 'x'.repeat(129)]) t.notOk(isTag(tag), tag);
});
