// Patches of a tree, made by the real GNU tar: whatever was done to a tree between two of them, what is put together again is
// the same to the byte, with owners, modes, links, holes and attributes.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { applyTreePatches, saveTreePatch } from '../../../lib/platforms/rootfs/engine/linux/tree-patch.js';
import { need } from '../../support/need.js';
import { stepContext } from '../../support/step-context.js';

const names = ['a', 'b', 'dir', 'dir/c', 'dir/sub', 'dir/sub/d', 'with space', 'dir/-n'];
const name = fc.constantFrom(...names);
/** Each is a shell command in the tree; one that makes no sense there changes nothing (a pipe is not written to: that waits for ever). */
const edit = fc.oneof(
  fc.tuple(name, fc.constantFrom('x', 'yy', '')).map(([path, content]) => `[ -p './${path}' ] || printf %s '${content}' > './${path}'`),
  name.map((path) => `rm -rf './${path}'`), name.map((path) => `mkdir -p './${path}'`),
  fc.tuple(name, name).map(([from, to]) => `mv -T './${from}' './${to}'`), fc.tuple(name, name).map(([from, to]) => `ln -f './${from}' './${to}'`),
  fc.tuple(name, name).map(([from, to]) => `ln -sfn '${from}' './${to}'`), fc.tuple(name, fc.constantFrom('4755', '600', '1777')).map(([path, mode]) => `[ -L './${path}' ] || chmod ${mode} './${path}'`),
  name.map((path) => `chown -h 1234:77 './${path}'`), name.map((path) => `[ -L './${path}' ] || setfattr -n user.mark -v here './${path}'`),
  name.map((path) => `[ -d './${path}' ] || truncate -s 3M './${path}'`), name.map((path) => `rm -rf './${path}'; mkfifo './${path}'`),
  name.map((path) => `touch -h -d 2001-02-03 './${path}'`),
  // The same size and the same time: only the kernel's own note of a change tells.
  name.map((path) => `[ -f './${path}' ] && [ ! -L './${path}' ] && { time=$(stat -c %y './${path}'); tr xy zw < './${path}' > .t; cat .t > './${path}'; rm .t; touch -d "$time" './${path}'; }`),
);

const archiveOf = (tree: string) => execFileSync('sh', ['-c', 'tar -C "$1" --sort=name --format=posix --pax-option=delete=atime,delete=ctime,exthdr.name=%f --numeric-owner --xattrs --xattrs-include=user.* -c . | sha256sum; cd "$1"; find . | sort', 'sh', tree], { encoding: 'utf8', maxBuffer: 1e8 });

t.test('patches put a tree together again as it was, whatever was done to it', { timeout: 300_000 }, async (t) => {
  if (!(await need(t, 'namespaces'))) return;
  const ctx = stepContext(t);
  const root = ctx.run.project;
  let number = 0;
  await fc.assert(fc.asyncProperty(fc.array(fc.array(edit, { maxLength: 5 }), { minLength: 1, maxLength: 4 }), async (rounds) => {
    const folder = join(root, `case-${number++}`);
    mkdirSync(join(folder, 'tree'), { recursive: true });
    let tree = join(folder, 'tree');
    const archives: string[] = [];
    let since: string | undefined;
    for (const [index, edits] of rounds.entries()) {
      for (const command of edits) execFileSync('sh', ['-c', `cd "$1" && { ${command}; } 2> /dev/null; true`, 'sh', tree], { timeout: 30_000 });
      const [archive, note] = [join(folder, `${index}.tar`), join(folder, `${index}.note`)];
      await saveTreePatch(tree, { archive, note, ...(since === undefined ? {} : { since }) }, ctx);
      archives.push(archive);
      // The next round goes on in what was put together, as a later run does.
      const restored = join(folder, `restored-${index}`);
      const next = join(folder, `${index}.restored.note`);
      await applyTreePatches(archives, restored, next, ctx);
      const [was, is] = [archiveOf(tree), archiveOf(restored)];
      if (was !== is) throw new Error(`round ${index}: ${edits.join('; ')}\n${was}\n${is}`);
      [tree, since] = [restored, next];
    }
    rmSync(folder, { recursive: true });
  }), { numRuns: 40 });
  t.pass();
});
