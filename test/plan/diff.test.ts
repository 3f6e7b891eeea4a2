import fc from 'fast-check';
import t from 'tap';
import type { JsonObject } from '../../lib/core/json.js';
import { diffPlans, diffValues } from '../../lib/plan/diff.js';
import type { Plan, PlanStep } from '../../lib/plan/plan.js';

type StepFacts = Partial<PlanStep> & { readonly id: string };

/** A plan with one build, whose steps come one after the other. */
function planOf(image: string, steps: readonly StepFacts[], more: Partial<Plan> = {}): Plan {
  const build = `${image}/Docker`;
  return {
    schema: 1, image, tags: {},
    builds: [{ id: build, name: 'Docker', platform: 'docker', artifact: { $ref: `${build}/Image#artifact` } }],
    steps: steps.map((step, index) => ({
      kind: 'shell.script', title: step.id, role: 'provisioner', spec: {}, lifetime: 'none', build,
      needs: index === 0 ? [] : [steps[index - 1]!.id], ...step,
    })),
    ...more,
  };
}
const steps = (...ids: string[]): StepFacts[] => ids.map((id) => ({ id }));
const spec = (value: JsonObject) => planOf('Web', [{ id: 'a', spec: value }]);
const valuesOf = (before: JsonObject, after: JsonObject) => diffPlans([spec(before)], [spec(after)])[0]?.builds[0]?.steps[0]?.values;

t.test('plans that do the same do not differ, whatever their titles and places in the source', async (t) => {
  const before = planOf('Web', [{ id: 'a', title: 'one', source: { file: 'image.ts', line: 3 } }]);
  const after = planOf('Web', [{ id: 'a', title: 'two', source: { file: 'image.ts', line: 9 } }]);
  t.same(diffPlans([before], [after]), []);
  t.same(diffPlans([], []), []);
});

t.test('images, builds and steps are added and removed', async (t) => {
  t.same(diffPlans([planOf('Old', steps('a'))], [planOf('New', steps('b'))]), [
    { image: 'New', change: 'added', values: [], builds: [{ build: 'New/Docker', change: 'added', values: [], moves: [], steps: [{ step: 'b', title: 'b', kind: 'shell.script', change: 'added', values: [] }] }] },
    { image: 'Old', change: 'removed', values: [], builds: [{ build: 'Old/Docker', change: 'removed', values: [], moves: [], steps: [{ step: 'a', title: 'a', kind: 'shell.script', change: 'removed', values: [] }] }] },
  ]);
  const [image] = diffPlans([planOf('Web', steps('a', 'b'))], [planOf('Web', steps('a', 'c'))]);
  t.same(image?.builds[0]?.steps.map(({ step, change }) => [step, change]), [['c', 'added'], ['b', 'removed']]);
  t.same(image?.builds[0]?.moves, []);
});

t.test('of a changed step each path that differs is told, with old and new', async (t) => {
  t.same(valuesOf(
    { inline: ['a', 'b'], environment: { LANG: 'C', 'odd key': '1' }, gone: true, same: 1 },
    { inline: ['a', 'c', 'd'], environment: { LANG: 'en', 'odd key': '2' }, same: 1 },
  ), [
    { path: 'inline[1]', before: 'b', after: 'c' },
    { path: 'inline[2]', after: 'd' },
    { path: 'environment.LANG', before: 'C', after: 'en' },
    { path: 'environment["odd key"]', before: '1', after: '2' },
    { path: 'gone', before: true },
  ]);
  t.same(valuesOf({ value: null }, { value: { deep: 1 } }), [{ path: 'value', before: null, after: { deep: 1 } }]);
});

t.test('assets, refs and secrets are one value each', async (t) => {
  const asset = (digest: string) => ({ $asset: { digest, type: 'file', name: 'setup.sh', size: 3 } });
  t.same(valuesOf({ script: asset('aa') }, { script: asset('bb') }), [{ path: 'script', before: asset('aa'), after: asset('bb') }]);
  t.same(valuesOf({ disk: { $ref: 'a#artifact' } }, { disk: { $ref: 'b#artifact' } }), [{ path: 'disk', before: { $ref: 'a#artifact' }, after: { $ref: 'b#artifact' } }]);
  const secret = (name: string) => ({ $secret: { from: 'env', name } });
  t.same(valuesOf({ password: secret('A') }, { password: secret('B') }), [{ path: 'password', before: secret('A'), after: secret('B') }]);
});

t.test('policy, lifetime, kind, platform and tags count too', async (t) => {
  const before = planOf('Web', [{ id: 'a', policy: { retries: 1 } }], { tags: { env: 'test' } });
  const after = planOf('Web', [{ id: 'a', policy: { retries: 2, timeout: 5 }, lifetime: 'run', kind: 'docker.container' }], { tags: { env: 'prod' }, builds: [{ ...before.builds[0]!, platform: 'podman' }] });
  const [image] = diffPlans([before], [after]);
  t.same(image?.values, [{ path: 'env', before: 'test', after: 'prod' }]);
  t.same(image?.builds[0]?.values, [{ path: '<platform>', before: 'docker', after: 'podman' }]);
  t.same(image?.builds[0]?.steps[0]?.values.map(({ path }) => path), ['<kind>', '<lifetime>', '<policy>.retries', '<policy>.timeout']);
});

t.test('a changed order is told by the fewest moves', async (t) => {
  const moves = (before: string[], after: string[]) => diffPlans([planOf('Web', steps(...before))], [planOf('Web', steps(...after))])[0]?.builds[0]?.moves.map(({ step, after: previous }) => [step, previous]);
  t.same(moves(['a', 'b', 'c', 'd'], ['a', 'c', 'd', 'b']), [['b', 'd']]);
  t.same(moves(['a', 'b', 'c'], ['c', 'a', 'b']), [['c', undefined]]);
  t.same(moves(['a', 'b', 'c'], ['a', 'x', 'b', 'c']), [], 'a new step between is no move');
});

const json = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.array(tie('value'), { maxLength: 3 }), fc.dictionary(fc.string(), tie('value'), { maxKeys: 3 })),
}))['value'] as fc.Arbitrary<never>;

t.test('a value does not differ from itself, and differences are the same seen from the other side', async (t) => {
  fc.assert(fc.property(json, (value) => diffValues(value, structuredClone(value)).length === 0));
  fc.assert(fc.property(json, json, (a, b) => {
    const there = diffValues(a, b).map(({ path }) => path).sort();
    const back = diffValues(b, a).map(({ path }) => path).sort();
    return JSON.stringify(there) === JSON.stringify(back);
  }));
  t.pass();
});
