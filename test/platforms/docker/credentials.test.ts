import t from 'tap';
import { authFor } from '../../../lib/platforms/docker/engine/credentials.js';
import { contextsOf } from './step-context.js';

t.test('the login of the default registry is found however its name is written', async (t) => {
  const folder = t.testdir({ 'config.json': JSON.stringify({ auths: { 'https://index.docker.io/v1/': { auth: Buffer.from('baker:oven').toString('base64') } } }) });
  const context = contextsOf(t);
  for (const name of ['team/web:1', 'docker.io/team/web:1', 'index.docker.io/team/web:1']) {
    t.match(await authFor(name, undefined, context(), { folder }), { username: 'baker', password: 'oven' }, name);
  }
  t.equal(await authFor('registry.example/team/web:1', undefined, context(), { folder }), undefined);
});

t.test('a login that is given is for its own registry, and for no other', async (t) => {
  const folder = t.testdir({ 'config.json': '{}' });
  const context = contextsOf(t);
  const given = { username: 'baker', password: 'oven', server: 'https://registry.example:5000/v2/' };
  t.match(await authFor('registry.example:5000/web:1', given, context(), { folder }), { username: 'baker' });
  t.equal(await authFor('other.example/web:1', given, context(), { folder }), undefined);
  t.equal(await authFor('web:1', given, context(), { folder }), undefined);
});
