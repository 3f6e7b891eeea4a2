import t from 'tap';
import { extensions } from '../../lib/toolkit/catalogue.js';
import { sessionExtension } from '../../lib/engine/session.js';
import type { BuildForecast, StepForecast } from '../../lib/engine/cache/forecast.js';
import type { Plan, PlanStep } from '../../lib/plan/plan.js';
import { requireState } from '../../lib/toolkit/shell/require-state.js';
import { sessionPlans } from '../../lib/toolkit/shell/session-plans.js';
import { shellTarget } from '../../lib/toolkit/shell/shell-target.js';

const known = [...extensions, sessionExtension({ terminal: undefined as never }, { onStart: () => {}, onEnd: () => {} })];

/** An image with the provisioners One, Two and Three on each source; `parent` is the step that the first source's base is. */
function planOf(image: string, sources: readonly string[], parent?: string): Plan {
  const step = (build: string, id: string, kind: string, needs: readonly string[], more: Partial<PlanStep> = {}): PlanStep => ({ id, kind, title: id, role: 'source', spec: {}, needs, lifetime: 'none', build, ...more });
  const ids = sources.map((name) => `${image}/${name}`);
  return {
    schema: 1, image, tags: {},
    builds: ids.map((id, index) => ({ id, name: sources[index]!, platform: 'docker', artifact: { $ref: `${id}/Image#artifact` }, machine: `${id}/Container` })),
    steps: ids.flatMap((id) => [
      step(id, `${id}/Base`, 'docker.base-image', parent === undefined ? [] : [parent]),
      step(id, `${id}/Container`, 'docker.container', [`${id}/Base`], { lifetime: 'run' }),
      ...['One', 'Two', 'Three'].map((name, index, all) => step(id, `${id}:${name}`, 'shell.script', [`${id}/Container`, ...(index === 0 ? [] : [`${id}:${all[index - 1]}`])], { role: 'provisioner' })),
      step(id, `${id}/Image`, 'docker.image', [`${id}/Container`, `${id}:Three`], { lifetime: 'artifact' }),
      step(id, `${id}:Push`, 'docker.push', [`${id}/Image`], { role: 'post-processor' }),
    ]),
  };
}

const web = planOf('Web', ['Docker']);

t.test('a state is named by a path, and a short path will do while only one build has it', async (t) => {
  const named = (name: string, plans: readonly Plan[] = [web]) => shellTarget(plans, name).after.map(({ id }) => id);
  for (const name of ['Web/Docker/Two', 'Web/Docker:Two', 'Web/Two']) t.same(named(name), ['Web/Docker:Two'], name);
  for (const name of ['Web/Docker', 'Web']) t.match(shellTarget([web], name), { isAny: true, after: [{}, {}, {}] }, name);
  const two = [planOf('Web', ['Docker', 'Other'])];
  t.same(named('Web/Other/Two', two), ['Web/Other:Two']);
  t.throws(() => named('Web/Two', two), { code: 'SeveralBuilds', hint: 'name one: Web/Docker/Two, Web/Other/Two' });
  t.throws(() => named('Web/Docker/Tow'), { code: 'NoSuchStep', hint: 'did you mean "Web/Docker/Two"?' });
  t.throws(() => named('x'), { code: 'NoSuchStep', hint: 'there are Web/Docker, Web/Docker/One, Web/Docker/Two, Web/Docker/Three' });
});

t.test('what comes after the step is cut off, and somebody works in the machine instead', async (t) => {
  const { plans, builds, untouched } = sessionPlans([web, planOf('Else', ['Docker'])], shellTarget([web], 'Web/Two'), known);
  t.same(plans.flatMap(({ steps }) => steps.map(({ id }) => id)), ['Web/Docker/Base', 'Web/Docker/Container', 'Web/Docker:One', 'Web/Docker:Two', 'Web/Docker~session']);
  t.match(plans[0]?.steps.at(-1), { spec: { connection: { $ref: 'Web/Docker/Container#connection' } }, needs: ['Web/Docker/Container', 'Web/Docker:Two'] });
  t.same([...builds], ['Web/Docker']);
  t.same([...untouched], ['Web/Docker/Container', 'Web/Docker:One', 'Web/Docker:Two'], 'all but lookups');
});

t.test('the image that it is made of belongs to it', async (t) => {
  const child = planOf('Child', ['Docker'], 'Web/Docker/Image');
  t.same([...sessionPlans([web, child], shellTarget([web, child], 'Child'), known).builds].sort(), ['Child/Docker', 'Web/Docker']);
});

t.test('only what a checkpoint holds is entered; else it is said what there is', async (t) => {
  const forecast = (fates: Readonly<Record<string, StepForecast['will']>>, build = 'Web/Docker'): BuildForecast => ({
    build, platform: 'docker', upToDate: false, milliseconds: 0,
    steps: Object.entries(fates).map(([name, will]) => ({ step: name === 'Container' ? `${build}/${name}` : `${build}:${name}`, name, title: name, will })),
  });
  const state = (name: string, fates: Readonly<Record<string, StepForecast['will']>>) => {
    const target = shellTarget([web], name);
    return requireState(target, sessionPlans([web], target, known), [forecast(fates)]).after.map(({ id }) => id);
  };
  t.same(state('Web/Two', { Container: 'restored', One: 'cached', Two: 'cached' }), ['Web/Docker:Two']);
  t.same(state('Web', { Container: 'restored', One: 'cached', Two: 'cached', Three: 'run' }), ['Web/Docker:Two'], 'of a source the deepest one');
  t.same(state('Web', { Container: 'restored', One: 'run', Two: 'run', Three: 'run' }), [], 'or the machine itself');
  t.throws(() => state('Web/Two', { Container: 'restored', One: 'cached', Two: 'run' }), { code: 'NoCheckpoint', message: /after Web\/Docker\/Two /, hint: /^"bake shell Web\/Docker\/One" enters the nearest earlier one; "bake run Web\/Docker --checkpoints all" would carry out Two and save / });
  t.throws(() => state('Web/Two', { Container: 'restored', One: 'run', Two: 'run' }), { code: 'NoCheckpoint', hint: /"bake shell Web\/Docker" enters the machine as it is before its provisioners/ });
  t.throws(() => state('Web', { Container: 'run', One: 'run', Two: 'run', Three: 'run' }), { code: 'NoCheckpoint', message: /of Web\/Docker /, hint: /^there is no earlier one either/ });

  const child = planOf('Child', ['Docker'], 'Web/Docker/Image');
  const target = shellTarget([web, child], 'Child');
  t.throws(() => requireState(target, sessionPlans([web, child], target, known), [forecast({ One: 'run' }), forecast({}, 'Child/Docker')]), { code: 'NoCheckpoint', message: /Child\/Docker is made of Web\/Docker, which is not up to date/ });
});
