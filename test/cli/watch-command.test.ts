import t from 'tap';
import { main } from '../../lib/cli/main.js';
import { fakeIo } from './fake-io.js';

t.test('each round shows what would be done, and with --run does it', async (t) => {
  const io = fakeIo();
  t.equal(await main(['watch', 'Web', '--only', 'Docker'], io), 0);
  t.same(io.fakeToolkit.calls.map(({ method }) => method), ['watch', 'forecast', 'forecast']);
  t.match(io.fakeToolkit.calls[1]?.options, { selectors: ['Web'], only: ['Docker'] });
  t.match(io.stderr.text, 'watching 3 files and folders; Ctrl-C ends it\n\nimage.ts, files/a, files/b and 1 more changed\n');

  const building = fakeIo();
  building.fakeToolkit.report = { run: 'r1', status: 'succeeded', builds: [], leftovers: [] };
  t.equal(await main(['watch', '--run', '--checkpoints', 'all'], building), 0);
  t.same(building.fakeToolkit.calls.map(({ method }) => method), ['watch', 'forecast', 'run', 'forecast', 'run']);
  t.match(building.fakeToolkit.calls[2]?.options, { checkpoints: 'all', onError: 'cleanup' });
});

t.test('a round that fails is shown, and the next one comes', async (t) => {
  const io = fakeIo();
  io.fakeToolkit.report = new Error('no such thing');
  t.equal(await main(['watch', '--run'], io), 0);
  t.equal(io.stderr.text.split('no such thing').length, 3);
});
