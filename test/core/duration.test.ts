import t from 'tap';
import { Duration, formatMilliseconds } from '../../lib/core/duration.js';

t.test('a duration is read from text with units', async (t) => {
  t.equal(Duration.parse('1m20s').toMilliseconds(), 80_000);
  t.equal(Duration.parse('300ms').toSeconds(), 0.3);
  t.throws(() => Duration.parse('5'), { code: 'InvalidDuration' });
  t.throws(() => Duration.parse('5s or so'), { code: 'InvalidDuration' });
});

t.test('a duration is written for people in its largest unit', async (t) => {
  t.equal(formatMilliseconds(850), '850ms');
  t.equal(formatMilliseconds(2_300), '2.3s');
  t.equal(formatMilliseconds(80_000), '1m20s');
  t.equal(formatMilliseconds(7_500_000), '2h5m');
});
