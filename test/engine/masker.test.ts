import t from 'tap';
import { mask, Masker } from '../../lib/engine/masker.js';

t.test('a secret is masked in all the forms in which it travels', async (t) => {
  const masker = new Masker();
  masker.add('p@ss "word"');
  for (const form of ['p@ss "word"', Buffer.from('p@ss "word"').toString('base64'), encodeURIComponent('p@ss "word"'), JSON.stringify('p@ss "word"').slice(1, -1)]) t.equal(masker.text(`<${form}>`), `<${mask}>`);
});

t.test('each line of a secret of several lines is masked by itself', async (t) => {
  const masker = new Masker();
  masker.add('-----BEGIN KEY-----\nabcdefgh\n-----END KEY-----\n');
  t.equal(masker.text('line abcdefgh here'), `line ${mask} here`);
});

t.test('of two secrets that begin alike the longer is masked whole', async (t) => {
  const masker = new Masker();
  masker.add('secret');
  masker.add('secret-and-more');
  t.equal(masker.text('secret-and-more secret'), `${mask} ${mask}`);
});

t.test('values are masked deep, and untouched without secrets', async (t) => {
  const masker = new Masker();
  const event = { type: 'x', nested: [{ line: 'the token is tok3n' }], count: 1 };
  t.equal(masker.value(event), event);
  masker.add('tok3n');
  t.same(masker.value(event), { type: 'x', nested: [{ line: `the token is ${mask}` }], count: 1 });
  masker.add('');
  t.equal(masker.text('abc'), 'abc');
});
