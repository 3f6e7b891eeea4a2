import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { systemExec } from '../../lib/toolkit/host/exec.js';
import { gitCommit } from '../../lib/toolkit/host/git-commit.js';

const exec = systemExec();

t.test('a project is at the commit of its work tree, and dirty if its own files have changed', async (t) => {
  const folder = t.testdir({ app: { 'image.ts': 'x' }, other: 'y' });
  const git = (...args: readonly string[]) => execFileSync('git', ['-C', folder, '-c', 'user.name=x', '-c', 'user.email=x@x', ...args], { encoding: 'utf8' }).trim();
  const app = join(folder, 'app');
  git('init', '-q');
  t.equal(await gitCommit(app, exec), undefined, 'before the first commit');
  git('add', '.');
  git('commit', '-qm', 'one');
  const id = git('rev-parse', 'HEAD');
  mkdirSync(join(app, 'bake.out'));
  writeFileSync(join(app, 'bake.out/plan.json'), '');
  appendFileSync(join(folder, 'other'), 'z');
  t.same(await gitCommit(app, exec), { id, isDirty: false }, 'what builds make, and what is outside, does not count');
  appendFileSync(join(app, 'image.ts'), 'z');
  t.same(await gitCommit(app, exec), { id, isDirty: true });
});

t.test('without a work tree or without git there is no commit', async (t) => {
  t.equal(await gitCommit('/', exec), undefined);
  t.equal(await gitCommit('/nowhere', exec), undefined);
  t.equal(await gitCommit('/', { run: () => Promise.reject(new Error('there is no git')) }), undefined);
});
