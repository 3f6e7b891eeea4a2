import fc from 'fast-check';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { shellHandler } from '../../../lib/provisioners/shell/engine/shell-handler.js';
import { stagedFile } from '../../support/staged-file.js';
import { stepContext } from '../../support/step-context.js';
import { posixShells, ShellMachine } from './shells.js';

const connection = { kind: 'test' };
/** Characters that mean something to some shell, and those whose bytes have been trouble in one. */
const nasty = fc.constantFrom("'", '"', '\\', '$', '`', '!', '\n', '\r', '\t', ' ', '*', ';', '&', '|', '<', '>', '(', ')', '#', '~', '%', '\u0001', '\u007f', '\u0080', '\u0081', '\u0088', 'Á', '€', '🎂', 'a', 'END', 'EOF');
const value = fc.oneof(fc.array(nasty).map((parts) => parts.join('')), fc.string({ unit: 'binary' })).map((text) => text.replaceAll('\0', ''));
const name = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,12}$/).map((text) => `X_${text}`);

for (const posix of posixShells) {
  t.test(`any script and any values arrive as they are, with ${posix}`, async (t) => {
    const folder = t.testdir({});
    const machine = new ShellMachine({ posix });
    const received = join(folder, 'received');
    const executeCommand = `env -i {{.Vars}} env -0 >${join(folder, 'environment')}; cat {{.Path}} >${received}`;
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 3_000 }), fc.dictionary(name, value, { maxKeys: 5 }), async (bytes, environment) => {
      writeFileSync(join(folder, 'script'), bytes);
      const ctx = stepContext(t, { connect: () => machine });
      await shellHandler.run({ connection, script: await stagedFile(join(folder, 'script')), binary: true, environment, executeCommand, remoteFolder: folder }, ctx);
      if (!readFileSync(received).equals(bytes)) return false;
      const seen = new Set(readFileSync(join(folder, 'environment'), 'utf8').split('\0'));
      return Object.entries(environment).every(([key, text]) => seen.has(`${key}=${text}`));
    }), { numRuns: 40 });
    t.strictSame(readdirSync(folder).sort(), ['environment', 'received', 'script'], 'nothing else is left');
  });
}

t.test('a script of 20 MB arrives as it is', async (t) => {
  const folder = t.testdir({});
  const bytes = Buffer.alloc(20 * 1024 * 1024, 'The quick brown fox\0\r\n\u00ff');
  writeFileSync(join(folder, 'script'), bytes);
  const ctx = stepContext(t, { connect: () => new ShellMachine() });
  await shellHandler.run({ connection, script: await stagedFile(join(folder, 'script')), binary: true, executeCommand: `cat {{.Path}} >${join(folder, 'received')}` }, ctx);
  t.ok(readFileSync(join(folder, 'received')).equals(bytes));
});
