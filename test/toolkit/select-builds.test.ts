import t from 'tap';
import type { Plan } from '../../lib/plan/plan.js';
import { selectBuilds } from '../../lib/toolkit/select-builds.js';

const build = (id: string) => ({ id, name: id.split('/')[1]!, platform: 'null' });
const plans = [{ image: 'Web', builds: [build('Web/Docker'), build('Web/Qemu')], steps: [] }] as unknown as readonly Plan[];
const nothing = { selectors: [], only: [], except: [] };

t.test('a choice that leaves no build is an error that names the builds', async (t) => {
  const names = /Web\/Docker, Web\/Qemu$/;
  t.throws(() => selectBuilds(plans, { ...nothing, except: ['**'] }), { code: 'NothingSelected', source: 'user', message: '--except "**" leaves no build to do', hint: names });
  t.throws(() => selectBuilds(plans, { selectors: ['Web/Docker'], only: ['Qemu'], except: [] }), { code: 'NothingSelected', message: '"Web/Docker" --only "Qemu" leaves no build to do', hint: names });
});

t.test('without a choice all builds are meant, and with one those that it leaves', async (t) => {
  t.same([...selectBuilds(plans, nothing)], ['Web/Docker', 'Web/Qemu']);
  t.same([...selectBuilds(plans, { ...nothing, except: ['Docker'] })], ['Web/Qemu']);
});
