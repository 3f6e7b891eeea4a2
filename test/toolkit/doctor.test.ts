import t from 'tap';
import { createToolkit } from '../../lib/toolkit/create-toolkit.js';

t.test('a platform that needs nothing is known to the doctor', async (t) => {
  t.same(await createToolkit({ cwd: t.testdir({}), env: {} }).doctor({ platforms: ['null'] }), [{ platform: 'null', checks: [] }]);
});
