import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import t from 'tap';
import { bashCompletion } from '../../lib/cli/arguments/bash-completion.js';
import { commandTable } from '../../lib/cli/arguments/command-table.js';
import { fishCompletion } from '../../lib/cli/arguments/fish-completion.js';
import { zshCompletion } from '../../lib/cli/arguments/zsh-completion.js';
import { main } from '../../lib/cli/main.js';
import { canonicalJson } from '../../lib/core/json.js';
import { fakeIo, planOf } from './fake-io.js';

t.test('bash offers commands, options, choices, builds and files', async (t) => {
  const folder = t.testdir({ 'image.ts': '', bin: {} });
  writeFileSync(join(folder, 'completion.bash'), bashCompletion(commandTable));
  writeFileSync(join(folder, 'bin/bake'), '#!/bin/sh\n[ "$*" = "completion builds" ] && printf "Web\\nWeb/Docker\\n"\n');
  chmodSync(join(folder, 'bin/bake'), 0o755);
  const complete = (...words: string[]) => execFileSync('bash', ['--norc', '-c', `source completion.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _bake; printf '%s\\n' "\${COMPREPLY[@]}"`, 'test', 'bake', ...words], {
    cwd: folder, encoding: 'utf8', env: { PATH: [join(folder, 'bin'), process.env['PATH']].join(delimiter) },
  }).split('\n').filter((word) => word !== '');
  t.same(complete('s'), ['synth', 'shell', 'setup']);
  t.same(complete('--ver'), ['--verbose', '--version']);
  t.same(complete('run', '--on'), ['--only', '--on-error']);
  t.same(complete('run', '--on-error', 'k'), ['keep']);
  t.same(complete('run', 'Web/'), ['Web/Docker']);
  t.same(complete('run', '--parallel', ''), []);
  t.same(complete('--app', 'run', 'sy'), ['synth'], 'the value of an option is no command');
  t.same(complete('synth', '-a', 'im'), ['image.ts']);
  t.same(complete('completion', 'f'), ['fish']);
});

t.test('every command and option is in each script', async (t) => {
  for (const [shell, script] of [['bash', bashCompletion(commandTable)], ['zsh', zshCompletion(commandTable)], ['fish', fishCompletion(commandTable)]] as const) {
    for (const { name, options } of commandTable) {
      t.match(script, new RegExp(`\\b${name}\\b`), `${shell}: ${name}`);
      for (const option of options) t.ok(script.includes(shell === 'fish' ? `-l ${option.name} ` : `--${option.name}`), `${shell}: ${name} --${option.name}`);
    }
  }
});

t.test('the names of builds come from the last plan, silently if there is none', async (t) => {
  const plan = planOf('Web', [{ id: 'x' }], 'Web/Docker');
  const odd = planOf('a b;rm', [{ id: 'x' }]);
  const cwd = t.testdir({ 'bake.out': {
    'manifest.json': JSON.stringify({ images: [{ plan: 'a.plan.json' }, { plan: 'b.plan.json' }] }), 'a.plan.json': canonicalJson(plan), 'b.plan.json': canonicalJson(odd),
  } });
  const io = fakeIo({ cwd });
  t.equal(await main(['completion', 'builds'], io), 0);
  t.equal(io.stdout.text, 'Web\nWeb/Docker\n', 'what a shell could misread is left out');
  const none = fakeIo({ cwd: '/nowhere' });
  t.equal(await main(['completion', 'builds'], none), 0);
  t.equal(none.stdout.text + none.stderr.text, '');
});
